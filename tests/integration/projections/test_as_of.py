"""Any past instant can be shown: what was believed, and why."""

from __future__ import annotations

import random

import pytest

from copilot_core.events import Evidence, SampleDropped, Status
from copilot_projections import as_of
from copilot_projections.full_status import FullStatus
from copilot_projections.views import VIEWS, status
from tests.integration.projections.line import Line
from tests.unit.projections.story import STEP_S, Book, Story, at


def told_at_random(slots: int, *, seed: int, log_noise: int = 0) -> Story:
    """A cluster that changes now and then, with late samples and slots that were jumped."""
    chance, story = random.Random(seed), Story("orders", Book())
    now, sight = "happy", "fresh"
    for _ in range(slots):
        if chance.random() < 0.02:
            story.slot += STEP_S * chance.randrange(1, 40)
        new = chance.choice(["happy", "stressed", "critical"]) if chance.random() < 0.05 else now
        seen = chance.choice(["fresh", "partial", "blind"]) if chance.random() < 0.05 else sight
        story.sample(status=new, evidence=seen)
        if seen != sight:
            story.sight(sight, seen)
        if new != now:
            story.turned(now, new)
        if new != now or chance.random() < 0.03:
            story.ranked(*([] if new == "happy" else [("workers/absent", chance.random())]))
        now, sight = new, seen
        for _ in range(chance.randrange(log_noise + 1)):
            story.tell(SampleDropped(slot=story.slot - STEP_S, source="amp", reason="late"))
    return story


async def test_now_is_as_the_view_has_it(plain_line: Line) -> None:
    """As of the newest slot the answer equals the status view, field for field."""
    story = told_at_random(300, seed=1)
    views = await plain_line.tell(story.book.new, VIEWS["status"], VIEWS["timeline"])
    now = await as_of.full_status(plain_line.log, "orders", at(10_000), views=views)
    assert now == await status.current(views, "orders")


@pytest.mark.parametrize("seed", range(3))
async def test_past_is_as_the_view_had_it(plain_line: Line, seed: int) -> None:
    """As of any slot the answer equals the status view when it stood at that slot."""
    story = told_at_random(40, seed=seed, log_noise=3)
    ends = {}
    for event in story.events:
        if event.type != "SampleDropped":
            ends[event.occurred_at] = event.position
    await plain_line.append(story.book.new)
    follower = await plain_line.follower(VIEWS["status"])
    await plain_line.project([VIEWS["timeline"]])
    for instant, position in ends.items():
        await follower.catch_up({0: position})
        then = await status.current(plain_line.views, "orders")
        assert (
            await as_of.full_status(plain_line.log, "orders", instant, views=plain_line.views)
            == then
        )


async def test_timeline_that_lags_changes_nothing(plain_line: Line) -> None:
    """Where the timeline has not come as far as the instant, the log itself is asked."""
    story = told_at_random(200, seed=5)
    await plain_line.append(story.book.new)
    follower = await plain_line.follower(VIEWS["timeline"])
    answers: list[FullStatus | None] = []
    for position in (-1, 60, 150, len(story.events) - 1):
        await follower.catch_up({0: position})
        answers.append(
            await as_of.full_status(plain_line.log, "orders", at(180), views=plain_line.views)
        )
    answers.append(await as_of.full_status(plain_line.log, "orders", at(180)))
    assert answers[0] is not None
    assert answers == [answers[0]] * 5


async def test_between_two_slots_the_earlier_one_holds(plain_line: Line) -> None:
    """An instant inside a slot is answered by that slot, and a gap by the slot before it."""
    story = Story("orders")
    story.sample()
    story.slot += 10 * STEP_S
    story.sample(status="critical", evidence="partial")
    views = await plain_line.tell(story.book.new, VIEWS["timeline"])
    inside = await as_of.full_status(plain_line.log, "orders", at(0).add(seconds=17), views=views)
    gap = await as_of.full_status(plain_line.log, "orders", at(9), views=views)
    behind = await as_of.full_status(plain_line.log, "orders", at(11), views=views)
    assert inside is not None
    assert inside == gap
    assert (inside.status, inside.at) == (Status.HAPPY, at(0))
    assert behind is not None
    assert (behind.status, behind.evidence) == (Status.CRITICAL, Evidence.PARTIAL)


async def test_before_the_first_sample_nothing_is_known(plain_line: Line) -> None:
    """Nothing is made up about a time before the first sample, nor about an unknown cluster."""
    story = Story("orders")
    story.sample()
    views = await plain_line.tell(story.book.new, VIEWS["timeline"])
    before = at(0).subtract(seconds=1)
    assert await as_of.full_status(plain_line.log, "orders", before, views=views) is None
    assert await as_of.full_status(plain_line.log, "payments", at(0), views=views) is None
