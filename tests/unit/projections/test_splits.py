"""Any split of the events into batches gives the same rows, in every read model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copilot_core.events import RecordedEvent
from copilot_projections.shape import Rows, View
from copilot_projections.views import VIEWS
from tests.unit.projections.story import STEP_S, Book, Story

STATUSES = ("happy", "stressed", "critical")
SIGHTS = ("fresh", "partial", "blind")

moments = st.tuples(
    st.sampled_from(("orders", "payments")),
    st.sampled_from(STATUSES),
    st.sampled_from(SIGHTS),
    st.sampled_from((0, 0, 0, 1, 70)),  # slots jumped before this one; 70 leave a block
    st.sampled_from((("ok", "low"), ("blocked", "high"))),
    st.sampled_from(("healthy", "worker-limited")),
    st.booleans(),
)


def told(script: Sequence[Any]) -> list[RecordedEvent]:
    """Events as the fold would record them: the sample first, then what changed with it."""
    book = Book()
    stories = {name: Story(name, book) for name in ("orders", "payments")}
    before = dict.fromkeys(stories, ("unknown", "blind", ("", ""), "unknown"))
    for cluster, status, sight, jump, health, limit, logs in script:
        story, (was, saw, fit, limited) = stories[cluster], before[cluster]
        story.slot += jump * STEP_S
        story.sample(
            status=status, evidence=sight, services={"history": health}, bottleneck=limit,
            fired=() if status == "happy" else (f"{status}-gate",),
        )  # fmt: skip
        if sight != saw:
            story.sight(saw, sight)
        if status != was:
            story.turned(was, status, gates=("a-gate",))
        if health != fit:
            story.service("history", *health, None)
        if limit != limited:
            story.bottleneck(limited, limit, "a reason")
        if logs:
            story.logged({"history": {"no-poller": story.slot % 7}})
            story.surged("history", "no-poller", 9, 0.5)
        if limit != "healthy":
            story.ranked(("workers/absent", 0.9), ("database/slow", 0.4), status=status)
            story.assessed(story.id_of_last(), model="stub" if logs else None)
        if status != was:
            turned = story.id_of_last()
            story.explained(turned, model="stub")
            story.explained(turned)
            story.reviewed(turned)
        if jump:
            story.configured({"qps": jump, "pollers": int(logs)}, apply="restart")
        before[cluster] = (status, sight, health, limit)
    return book.recorded


def rows_of(view: View, batches: Sequence[Sequence[RecordedEvent]]) -> list[list[Any]]:
    """All rows of a view after its events came in these batches."""
    rows = Rows()
    for batch in batches:
        view.apply(rows, [event for event in batch if event.type in view.takes])
    return [rows.all(table) for table in view.tables]


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
@given(script=st.lists(moments, max_size=25), data=st.data())
def test_batches_do_not_matter(view: View, script: list[Any], data: st.DataObject) -> None:
    """One event at a time, all at once, or cut anywhere: the rows are the same."""
    events = told(script)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(events)), max_size=6)))
    bounds = list(zip([0, *cuts], [*cuts, len(events)], strict=True))
    at_once = rows_of(view, [events])
    assert rows_of(view, [events[a:b] for a, b in bounds]) == at_once
    assert rows_of(view, [[event] for event in events]) == at_once
