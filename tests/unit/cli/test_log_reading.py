"""Everything about one cluster, in event time, on the in-memory twin."""

from __future__ import annotations

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from whenever import Instant

from copilot.log_reading import about
from copilot_core.events import TransitionExplained, new_event
from copilot_eventlog.direct import DirectShard
from copilot_eventlog.memory import MemoryLog
from tests.unit.projections.explaining import explaining
from tests.unit.projections.story import NOON, STEP_S, Story

slots = st.integers(0, 12)


@given(
    explained=st.lists(slots, max_size=12),
    span=st.tuples(st.none() | slots, st.none() | slots),
)
async def test_words_that_came_late_stand_at_their_time(
    explained: list[int], span: tuple[int | None, int | None]
) -> None:
    """Explanations are recorded in any order of event time: each that lies in the span is shown
    once, and all that is shown is in order of time."""
    story, log = Story("orders"), MemoryLog()
    for _ in range(13):
        story.sample()
    head = await log.take_over(0, writer="test", source="test")
    await log.append(head, story.book.new, source_offset=0)
    head = await log.take_over(DirectShard.EXPLAINER.value, writer="test", source="test")
    words = [
        new_event(
            explaining(TransitionExplained, NOON + n * STEP_S, UUID(int=version)),
            cluster="orders", version=version,
        )
        for version, n in enumerate(explained, start=1)
    ]  # fmt: skip
    if words:
        await log.append(head, words, source_offset=-1)
    first, last = (None if n is None else Instant.from_timestamp(NOON + n * STEP_S) for n in span)
    found = [e async for e in about(log, "orders", from_=first, to=last, everything=True)]
    expected = [
        event
        for event in (*story.book.new, *words)
        if (first is None or event.occurred_at >= first)
        and (last is None or event.occurred_at <= last)
    ]
    assert sorted(e.event_id for e in found) == sorted(e.event_id for e in expected)
    assert [e.occurred_at for e in found] == sorted(e.occurred_at for e in found)
