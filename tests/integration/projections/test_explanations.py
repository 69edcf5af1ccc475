"""Causes, explanations and the incident page, asked through the API's own queries."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID, uuid4

import pytest

from copilot_core.errors import Rejected
from copilot_core.events import ModelCallReserved, TransitionExplained, new_event
from copilot_projections.incident_story import STORY_VIEWS, IncidentStory, story_of
from copilot_projections.shape import View
from copilot_projections.views import (
    VIEWS,
    causes,
    explanations,
    incidents,
    status,
    timeline,
)
from tests.integration.projections.line import Line
from tests.unit.projections.explaining import explaining, explanations_of
from tests.unit.projections.recorded import folded
from tests.unit.projections.story import NOON, STEP_S, Book, Story, at

RULES, MODELS = 1, 2
"""Shards of the two writers of explanations."""


async def told(line: Line, story: Story, *views: View) -> None:
    """The story, and each of its transitions explained by rules and by a model."""
    await line.append(story.book.new)
    for shard, events in zip((RULES, MODELS), explanations_of(story.book.new), strict=True):
        await line.append(events, shard=shard)
    await line.project(views or tuple(VIEWS.values()))


def trouble(story: Story) -> None:
    """Five slots: happy, stressed, critical with a second cause, stressed, happy."""
    story.sample()
    story.sample(status="stressed", fired=("waiting",))
    story.turned("happy", "stressed", gates=("waiting",))
    story.ranked(("workers/absent", 0.7), status="stressed")
    story.sample(status="critical", fired=("no-progress",))
    story.turned("stressed", "critical", gates=("no-progress",))
    story.ranked(
        ("workers/absent", 0.9), ("database/slow", 0.4), cannot_tell=("host/overloaded",),
        since=NOON + STEP_S,
    )  # fmt: skip
    story.sample(status="stressed")
    story.turned("critical", "stressed")
    story.sample()
    story.turned("stressed", "happy")
    story.ranked(status="happy")


class TestCauses:
    async def test_the_first_ranking_is_in_force(self, line: Line) -> None:
        """Newest first, each until the next one; without causes it says that none is known."""
        story = Story("orders")
        trouble(story)
        views = await line.tell(story.book.new, VIEWS["causes"])
        found = await causes.rankings(views, "orders")
        assert [(r.at, r.until, r.likeliest) for r in found] == [
            (at(4), None, ""), (at(2), at(4), "workers absent"), (at(1), at(2), "workers absent"),
        ]  # fmt: skip
        worst = found[1]
        assert [(c.rank, c.component, c.kind, c.score) for c in worst.causes] == [
            (1, "workers", "absent", 0.9), (2, "database", "slow", 0.4),
        ]  # fmt: skip
        assert (worst.trouble_since, worst.causes[0].since) == (at(1), at(1))
        assert [c.cause for c in worst.cannot_tell] == ["host overloaded"]
        assert (found[0].trouble_since, found[0].score, found[0].causes) == (None, None, ())

    async def test_spans_narrow_the_rankings_down(self, line: Line) -> None:
        """`since` is inclusive, `until` exclusive; of nobody there is none."""
        story = Story("orders")
        trouble(story)
        views = await line.tell(story.book.new, VIEWS["causes"])
        found = await causes.rankings(views, "orders", since=at(1), until=at(4), limit=1)
        assert [r.at for r in found] == [at(2)]
        assert await causes.rankings(views, "nobody") == []

    @pytest.mark.parametrize("name", ["o1-workers-stopped", "o2-db-latency"])
    async def test_rankings_are_those_of_the_log(self, line: Line, name: str) -> None:
        """Of a recorded incident: one row per ranking, causes and scores as the fold said."""
        events = [e for e in folded(name) if e.type == "CausesRanked"]
        views = await line.tell(folded(name), VIEWS["causes"])
        found = await causes.rankings(views, name)
        assert [r.event_id for r in found] == [str(e.event_id) for e in reversed(events)]
        assert any(r.causes for r in found)


class TestStatus:
    async def test_status_carries_the_ranking_in_force(self, line: Line) -> None:
        """The causes of the last ranking stand beside the status that they explain."""
        story = Story("orders")
        trouble(story)
        upto = [e for e in story.book.new if e.occurred_at <= at(2)]
        views = await line.tell(upto, VIEWS["status"])
        found = await status.current(views, "orders")
        assert found is not None
        assert [(c.cause, c.score) for c in found.causes] == [
            ("workers absent", 0.9), ("database slow", 0.4),
        ]  # fmt: skip
        assert [c.signal for c in found.cannot_tell] == ["host_cpu_ratio"]


class TestExplanations:
    async def test_the_highest_revision_is_in_force(self, line: Line) -> None:
        """Whatever came first: the model's words of each transition are shown, and both are
        there."""
        story = Story("orders")
        trouble(story)
        await told(line, story, VIEWS["explanations"])
        page = await explanations.page(line.views, "orders")
        assert [(e.at, e.revision, e.source) for e in page.explanations] == [
            (at(n), 2, "model") for n in (4, 3, 2, 1)
        ]
        one = page.explanations[0]
        found = await explanations.of_event(line.views, "orders", UUID(one.explains))
        assert found is not None
        assert (found.headline, found.model) == ("Nothing closes, told by stub.", "stub")
        assert [(r.revision, r.model) for r in found.revisions] == [(2, "stub"), (1, None)]
        assert found.sentences == found.revisions[0].sentences

    @pytest.mark.parametrize("order", [(RULES, MODELS), (MODELS, RULES)])
    async def test_shards_may_come_in_any_order(self, line: Line, order: Sequence[int]) -> None:
        """A view that has taken in one writer's words shows them, and the others when they come."""
        story = Story("orders")
        trouble(story)
        written = dict(zip((RULES, MODELS), explanations_of(story.book.new), strict=True))
        seen = []
        for shard in order:
            await line.append(written[shard], shard=shard)
            await line.project([VIEWS["explanations"]])
            page = await explanations.page(line.views, "orders")
            seen.append({e.revision for e in page.explanations})
        assert seen == [{1} if order[0] == RULES else {2}, {2}]

    async def test_pages_hold_every_explanation_once(self, line: Line) -> None:
        """Whatever the page size, every explained event is there once, newest first."""
        book = Book()
        for name in ("orders", "payments"):
            trouble(Story(name, book))
        await told(line, Story("orders", book), VIEWS["explanations"])
        whole = (await explanations.page(line.views, "orders")).explanations
        for limit in (1, 3):
            seen, before = [], None
            while True:
                page = await explanations.page(line.views, "orders", before=before, limit=limit)
                seen += page.explanations
                before = page.next_before
                if before is None:
                    break
            assert tuple(seen) == whole
        assert len(whole) == len({e.explains for e in whole}) == 4

    async def test_of_two_alike_the_first_recorded_stands(self, line: Line) -> None:
        """A revision that was appended twice (by a bug) is shown once, the first one."""
        id_ = uuid4()
        events = [
            new_event(
                explaining(TransitionExplained, NOON, id_, stands_because=f"try {n}"),
                cluster="orders", version=n,
            )
            for n in (1, 2)
        ]  # fmt: skip
        views = await line.tell(events, VIEWS["explanations"])
        (one,) = (await explanations.page(views, "orders")).explanations
        found = await explanations.of_event(views, "orders", id_)
        newest = await explanations.newest(views, "orders", since=at(0), to=at(0))
        assert found is not None
        assert newest is not None
        assert one.stands_because == found.stands_because == newest.stands_because == "try 1"

    async def test_an_event_that_nobody_knows_is_not_explained(self, line: Line) -> None:
        """Of an id that is in no explanation there is nothing, and words about an event that the
        log does not have are shown like any."""
        orphan = uuid4()
        event = explaining(TransitionExplained, NOON, orphan)
        views = await line.tell(
            [new_event(event, cluster="orders", version=1)], VIEWS["explanations"]
        )
        assert await explanations.of_event(views, "orders", uuid4()) is None
        assert await explanations.of_event(views, "payments", orphan) is None
        found = await explanations.of_event(views, "orders", orphan)
        assert found is not None
        assert found.explains == str(orphan)

    async def test_a_transition_goes_before_the_review_of_the_same_event(self, line: Line) -> None:
        """What ended an incident is explained twice; the review is there when asked for."""
        story = Story("orders")
        story.sample()
        story.turned("stressed", "happy")
        turned = story.id_of_last()
        story.reviewed(turned, model="stub")
        story.explained(turned)
        views = await line.tell(story.book.new, VIEWS["explanations"])
        first = await explanations.of_event(views, "orders", turned)
        review = await explanations.of_event(views, "orders", turned, types={"IncidentReviewed"})
        assert first is not None
        assert review is not None
        assert (first.type, len(first.revisions)) == ("TransitionExplained", 1)
        assert (review.type, review.revision) == ("IncidentReviewed", 2)
        newest = await explanations.newest(views, "orders", since=at(0), to=at(9))
        assert newest is not None
        assert newest.type == "TransitionExplained"

    @pytest.mark.parametrize(
        "cursor",
        [
            "",
            "1",
            "1.2.3",
            f"x.{UUID(int=1)}.TransitionExplained",
            f"1.{UUID(int=1)}.SampleRecorded",
            "1." + "9" * 36 + ".a",
        ],
    )
    async def test_what_is_no_cursor_is_refused(self, line: Line, cursor: str) -> None:
        """A made-up cursor is the caller's mistake, not an empty page."""
        views = await line.tell([], VIEWS["explanations"])
        if cursor:
            with pytest.raises(Rejected, match="no cursor"):
                await explanations.page(views, "orders", before=cursor)


async def the_story(line: Line, cluster: str = "orders") -> IncidentStory:
    """The page of a cluster's newest incident."""
    (incident, *_) = (await incidents.page(line.views, cluster=cluster)).incidents
    return await story_of(line.views, incident)


async def test_what_words_cost_is_told_when_asked_for(line: Line) -> None:
    """Calls of models are entries of the timeline, which is about what happened: they are left out
    unless their type is named."""
    story = Story("orders")
    story.sample()
    story.turned("unknown", "happy")
    story.tell(
        ModelCallReserved(
            at=NOON, call="w/researcher", incident=NOON, signature="0" * 64, model="stub",
            requests=4, tokens=20_000, cost_micro_usd=250_000,
        )
    )  # fmt: skip
    views = await line.tell(story.book.new, VIEWS["timeline"])
    usual = await timeline.page(views, cluster="orders")
    asked = await timeline.page(views, cluster="orders", types={"ModelCallReserved"})
    assert [e.type for e in usual.entries] == ["HealthTransitioned"]
    (entry,) = asked.entries
    assert entry.summary == "model call w/researcher of stub allowed"
    assert entry.reasons == ("at most 4 requests, 20000 tokens, 0.2500 USD",)


class TestIncidentPage:
    async def test_a_page_has_everything_in_order(self, line: Line) -> None:
        """Causes of the last ranking that named any, every transition's words, rankings and
        timeline from begin to end, and the changes of the day before."""
        story = Story("orders")
        story.slot -= 10 * STEP_S
        story.configured({"qps": 9000})
        story.slot = NOON - STEP_S
        trouble(story)
        story.reviewed(story.events[-2].event_id, model="stub")
        story.sample()
        await told(line, story, *STORY_VIEWS)
        page = await the_story(line)
        assert (page.began, page.ended) == (at(1), at(4))
        assert [c.cause for c in page.causes] == ["workers absent", "database slow"]
        assert [c.cause for c in page.cannot_tell] == ["host overloaded"]
        assert [e.at for e in page.explanations] == [at(n) for n in (1, 2, 3, 4)]
        assert [r.at for r in page.rankings] == [at(1), at(2), at(4)]
        assert [c.type for c in page.changes] == ["ConfigChanged"]
        assert page.review is not None
        assert page.headline == page.review.headline
        assert page.complete
        times = [h.at for h in page.timeline]
        assert times == sorted(times)
        assert (times[0], times[-1]) == (at(1), at(4))
        assert {h.type for h in page.timeline} == {
            "HealthTransitioned", "CausesRanked", "TransitionExplained", "IncidentReviewed",
        }  # fmt: skip

    async def test_an_open_incident_has_what_there_is(self, line: Line) -> None:
        """While it lasts there is no review; the newest words are its headline."""
        story = Story("orders")
        trouble(story)
        upto = Story("orders")
        for event in story.book.new:
            if event.occurred_at <= at(2):
                upto.book.write(event)
        await told(line, upto, *STORY_VIEWS)
        page = await the_story(line)
        assert (page.ended, page.review) == (None, None)
        assert page.headline == page.explanations[-1].headline
        assert page.causes[0].score == 0.9

    async def test_an_incident_without_words_or_causes_is_a_page_too(self, line: Line) -> None:
        """Nothing is made up where nothing was ranked or said."""
        story = Story("orders")
        story.sample(status="critical")
        story.turned("unknown", "critical")
        await line.tell(story.book.new, *STORY_VIEWS)
        page = await the_story(line)
        assert (page.causes, page.explanations, page.headline) == ((), (), None)
        assert [h.type for h in page.timeline] == ["HealthTransitioned"]

    async def test_what_was_left_out_is_told(
        self, line: Line, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A page that is cut says so, and keeps the newest."""
        monkeypatch.setattr("copilot_projections.incident_story.MAX_ENTRIES", 3)
        story = Story("orders")
        trouble(story)
        await told(line, story, *STORY_VIEWS)
        page = await the_story(line)
        assert (len(page.timeline), page.complete) == (3, False)
        assert page.timeline[-1].at == at(4)
