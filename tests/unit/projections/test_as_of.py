"""As of any instant, on the log in memory: the search finds what a look at every event finds."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from copilot_core.events import RecordedEvent, SampleDropped, SampleRecorded
from copilot_eventlog.memory import MemoryLog
from copilot_projections import as_of
from tests.unit.projections.story import STEP_S, Story, at


def told(slots: int, seed: int, *, noise: int) -> Story:
    """A cluster with gaps in its slots and, now and then, many late samples in a row."""
    chance, story, now = random.Random(seed), Story("orders"), "unknown"
    for _ in range(slots):
        if chance.random() < 0.05:
            story.slot += STEP_S * chance.randrange(1, 500)
        status = chance.choice(("happy", "stressed", now)) if now != "unknown" else "happy"
        story.sample(status=status)
        if status != now:
            story.turned(now, status)
        if chance.random() < 0.1:
            for _ in range(chance.randrange(noise + 1)):
                story.tell(SampleDropped(slot=story.slot - STEP_S, source="amp", reason="late"))
        now = status
    return story


async def in_memory(story: Story) -> MemoryLog:
    """The story as a log."""
    log = MemoryLog()
    head = await log.take_over(0, writer="test", source="test")
    await log.append(head, story.book.new, source_offset=0)
    return log


def looked_through(events: list[RecordedEvent], slot: int) -> tuple[int, str | None] | None:
    """The slot and the last transition's id at a slot, by looking at every event."""
    samples = [e for e in events if e.type == SampleRecorded.__name__]
    seen = [e for e in samples if e.occurred_at.timestamp() <= slot]
    if not seen:
        return None
    behind = [e.version for e in samples if e.version > seen[-1].version]
    until = min(behind, default=10**9)
    turned = [e for e in events if e.type == "HealthTransitioned" and e.version < until]
    return seen[-1].occurred_at.timestamp(), str(turned[-1].occurred_at) if turned else None


@given(
    slots=st.integers(1, 400),
    seed=st.integers(0, 10_000),
    noise=st.sampled_from((0, 3, 60)),
    asked=st.lists(st.integers(-5, 3_000), min_size=1, max_size=8),
)
async def test_search_finds_what_a_full_look_finds(
    slots: int, seed: int, noise: int, asked: list[int]
) -> None:
    """Whatever the gaps and however many late samples lie between, slot and transition agree."""
    story = told(slots, seed, noise=noise)
    log = await in_memory(story)
    for n in asked:
        found = await as_of.full_status(log, "orders", at(n))
        expected = looked_through(story.events, at(n).timestamp())
        if expected is None or found is None:
            assert expected is found is None
            continue
        turned = found.last_transition
        assert (found.at.timestamp(), str(turned.at) if turned else None) == expected


class CountingLog(MemoryLog):
    """A log in memory that counts the small pages of a search; walking back takes larger ones."""

    probes = 0

    async def read_stream(
        self, stream: str, *, after: int = 0, limit: int = 1000, newest_first: bool = False
    ) -> list[RecordedEvent]:
        self.probes += limit < as_of.WALK
        return await super().read_stream(
            stream, after=after, limit=limit, newest_first=newest_first
        )


async def test_search_reads_few_pages() -> None:
    """Finding one slot among thousands of events, with gaps, takes a handful of small pages."""
    story, log = told(8_000, 7, noise=0), CountingLog()
    head = await log.take_over(0, writer="test", source="test")
    for i in range(0, len(story.book.new), 2_000):
        head = await log.append(head, story.book.new[i : i + 2_000], source_offset=i)
    slots = [e.occurred_at for e in story.events if e.type == SampleRecorded.__name__]
    for asked in random.Random(1).sample(slots, 20):
        log.probes = 0
        assert await as_of.full_status(log, "orders", asked) is not None
        assert log.probes <= 2 + 10  # the two ends, and no more than halving takes
