"""What the API says of causes, words and issues, over a recorded incident on a real database."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
from whenever import Instant

from copilot_api import cursors
from copilot_core.events import (
    CausesRanked,
    Explaining,
    ExplanationSource,
    NewEvent,
    RecordedEvent,
    cluster_of,
    new_event,
)
from copilot_core.guarding.guard import Secret
from copilot_core.words.book import book_of
from copilot_eventlog.direct import DirectShard
from copilot_workflows.subjects import BY_MODEL, subjects_of, told_by_rules
from tests.integration.api.live import Clock, FoldedSlot, Live, live, stream
from tests.integration.projections.line import Line
from tests.unit.projections.story import Book, Story

Incident = tuple[str, list[FoldedSlot]]
MODEL = "stub"


class Told:
    """What was said of an incident: the rules' words of everything, and a model's of one
    transition, still to be told."""

    def __init__(self, cluster: str, by_rules: Sequence[Explaining]) -> None:
        self.cluster = cluster
        self._version = 0
        self.rules = [self.envelope(told) for told in by_rules]

    def envelope(self, told: Explaining) -> NewEvent:
        """The next event of the stream of explanations."""
        self._version += 1
        return new_event(told, cluster=self.cluster, version=self._version)

    def better(self, told: NewEvent, headline: str) -> NewEvent:
        """A model's words for what the rules have explained."""
        event = told.decoded()
        assert isinstance(event, Explaining)
        said = event.explanation
        worded = said.model_copy(
            update={"headline": said.headline.model_copy(update={"text": headline})}
        )
        return self.envelope(
            event.model_copy(
                update={
                    "revision": BY_MODEL, "source": ExplanationSource.MODEL, "model": MODEL,
                    "prompt_version": "p1", "explanation": worded,
                }
            )
        )  # fmt: skip


def _recorded(events: Sequence[NewEvent]) -> list[RecordedEvent]:
    book = Book()
    for event in events:
        book.write(event)
    return book.recorded


@pytest.fixture(scope="session")
def said(incident: Incident) -> list[NewEvent]:
    """The incident's events."""
    return [event for slot in incident[1] for event in slot.events]


@pytest.fixture(scope="session")
def by_rules(said: list[NewEvent], incident: Incident) -> list[Explaining]:
    """Everything of the incident that is explained, as the explainer words it."""
    return [
        told_by_rules(book_of(said, cluster=incident[0], explains=subject.explains), subject)
        for recorded in _recorded(said)
        for subject in subjects_of(recorded)
    ]


@pytest.fixture
async def told(api: Live, line: Line, by_rules: list[Explaining], incident: Incident) -> Told:
    """The incident, explained by rule."""
    found = Told(incident[0], by_rules)
    await line.append(found.rules, shard=DirectShard.EXPLAINER.value)
    await line.project()
    return found


async def problem(api: Live, path: str) -> tuple[int, str]:
    """Status and kind of an answer that is a problem."""
    answer = await api.client.get(path)
    return answer.status_code, answer.json()["type"].removeprefix("/problems/")


class TestCauses:
    async def test_rankings_are_those_of_the_log(
        self, api: Live, told: Told, said: list[NewEvent]
    ) -> None:
        """Newest first, page by page: every ranking once, with causes and scores as recorded."""
        ranked = [e for e in said if e.type == CausesRanked.__name__]
        found, path = [], f"/v1/clusters/{told.cluster}/causes?limit=1"
        while path:
            answer = await api.client.get(path)
            found += answer.json()
            path = answer.links.get("next", {}).get("url", "")
        assert [r["event_id"] for r in found] == [str(e.event_id) for e in reversed(ranked)]
        for row, event in zip(found, reversed(ranked), strict=True):
            recorded = event.decoded()
            assert isinstance(recorded, CausesRanked)
            assert [(c["component"], c["kind"], c["score"]) for c in row["causes"]] == [
                (c.component, c.kind, c.score) for c in recorded.causes
            ]
            assert all(c["says"] and c["runbook"] for c in row["causes"])
            assert all(bool(c["action"]) == c["now"] for c in row["causes"])
        whole = await api.get(f"/v1/clusters/{told.cluster}/causes")
        assert [r["until"] for r in whole] == [None, *(r["at"] for r in whole[:-1])]

    async def test_the_recorded_incident_names_its_cause(self, api: Live, told: Told) -> None:
        """Workers were stopped: at its worst the first cause says so, with evidence."""
        whole = await api.get(f"/v1/clusters/{told.cluster}/causes")
        worst = [r for r in whole if r["status"] == "critical"]
        assert {r["likeliest"] for r in worst} == {"workers absent"}
        assert all(r["causes"][0]["evidence"] for r in worst)


class TestStatus:
    async def test_one_address_tells_what_since_why_and_what_to_do(
        self, api: Live, told: Told, incident: Incident
    ) -> None:
        """At every slot: the causes of the ranking in force, and the words about the status that
        holds, never about a former one."""
        rankings = (await api.get(f"/v1/clusters/{told.cluster}/causes"))[::-1]
        for slot in incident[1]:
            then = await api.get(f"/v1/clusters/{told.cluster}/status", at=slot.slot)
            in_force = [r for r in rankings if r["at_ms"] <= then["at_ms"]]
            assert then["causes"] == (in_force[-1]["causes"] if in_force else [])
            last = then["last_transition"]
            assert (then["headline"] is None) == (last is None)
            if last:
                assert then["explanation"]["at_ms"] == last["at_ms"] == then["since_ms"]
                assert then["explanation"]["headline"] == then["headline"]

    async def test_better_words_are_news(self, api: Live, line: Line, told: Told) -> None:
        """A model's words of the present status change the answer and its tag."""
        path = f"/v1/clusters/{told.cluster}/status"
        first = await api.client.get(path)
        held = {"If-None-Match": first.headers["etag"]}
        assert (await api.client.get(path, headers=held)).status_code == 304
        explains = first.json()["explanation"]["explains"]
        former = next(
            e for e in told.rules
            if e.type == "TransitionExplained" and explains in e.payload.decode()
        )  # fmt: skip
        await line.append(
            [told.better(former, "Better said.")], shard=DirectShard.EXPLANATIONS.value
        )
        await line.project()
        again = await api.client.get(path, headers=held)
        assert (again.status_code, again.json()["headline"]) == (200, "Better said.")
        assert again.json()["status"] == first.json()["status"]

    async def test_a_status_that_nobody_explained_has_no_words(
        self, api: Live, incident: Incident
    ) -> None:
        """Without an explainer everything else is there."""
        found = await api.get(f"/v1/clusters/{incident[0]}/status")
        assert (found["headline"], found["explanation"]) == (None, None)
        assert found["last_transition"]


class TestExplanations:
    async def test_every_transition_has_its_words(
        self, api: Live, told: Told, said: list[NewEvent]
    ) -> None:
        """List and single answer agree; each names the transition of the timeline that it is
        about."""
        path = f"/v1/clusters/{told.cluster}"
        rows = await api.get(f"{path}/explanations", type="TransitionExplained")
        turned = await api.get(f"{path}/timeline", type="HealthTransitioned")
        assert sorted(r["explains"] for r in rows) == sorted(e["event_id"] for e in turned)
        for row in rows:
            full = await api.get(f"{path}/explanations/{row['explains']}")
            assert {name: full[name] for name in row} == row
            assert full["sentences"][0]["part"] == "headline"
            assert full["sentences"][0]["text"] == row["headline"]
            assert row["text"].startswith(row["headline"])
            assert row["text"].endswith(row["action"])
            assert full["next_step"]["action"] == row["action"]

    async def test_sentences_name_events_of_the_log(
        self, api: Live, told: Told, said: list[NewEvent]
    ) -> None:
        """Whatever proves a sentence is recorded: every id is found in the log."""
        known = {str(event.event_id) for event in said}
        path = f"/v1/clusters/{told.cluster}/explanations"
        named = set()
        for row in await api.get(path):
            full = await api.get(f"{path}/{row['explains']}", type=row["type"])
            for sentence in full["sentences"]:
                assert sentence["events"] or sentence["hypothesis"], sentence["text"]
                named |= set(sentence["events"])
        assert named
        assert named <= known

    async def test_pages_join(self, api: Live, told: Told) -> None:
        """Through `Link`, every explanation once, newest first."""
        path = f"/v1/clusters/{told.cluster}/explanations"
        whole, found, following = await api.get(path), [], f"{path}?limit=2"
        while following:
            answer = await api.client.get(following)
            found += answer.json()
            following = answer.links.get("next", {}).get("url", "")
        assert found == whole
        assert len(whole) == len(told.rules)
        assert [e["at_ms"] for e in whole] == sorted((e["at_ms"] for e in whole), reverse=True)

    async def test_all_wordings_stay(self, api: Live, line: Line, told: Told) -> None:
        """A model's words are in force, the rules' stay below them; the next step is the same."""
        former = told.rules[0]
        event = former.decoded()
        assert isinstance(event, Explaining)
        await line.append(
            [told.better(former, "Better said.")], shard=DirectShard.EXPLANATIONS.value
        )
        await line.project()
        full = await api.get(f"/v1/clusters/{told.cluster}/explanations/{event.explains}")
        assert (full["revision"], full["model"], full["headline"]) == (2, MODEL, "Better said.")
        assert [r["revision"] for r in full["revisions"]] == [2, 1]
        assert full["revisions"][1]["headline"] == event.explanation.headline.text
        assert full["next_step"] == full["revisions"][1]["next_step"]

    @pytest.mark.parametrize(
        ("path", "answer"),
        [
            (f"explanations/{UUID(int=7)}", (404, "not_explained")),
            ("explanations/yesterday", (422, "invalid_parameter")),
            ("explanations?cursor=1.2.3", (400, "rejected")),
            ("explanations?type=SampleRecorded", (422, "invalid_parameter")),
            ("explanations?limit=100000", (422, "limit_exceeded")),
        ],
    )
    async def test_bad_questions_are_told_so(
        self, api: Live, told: Told, path: str, answer: tuple[int, str]
    ) -> None:
        """An unknown event, an id or cursor that is none, a type that explains nothing."""
        assert await problem(api, f"/v1/clusters/{told.cluster}/{path}") == answer

    @pytest.mark.parametrize(
        "path", ["causes", "explanations", "issues", f"explanations/{UUID(int=7)}"]
    )
    async def test_a_cluster_nobody_heard_of_is_404(self, api: Live, path: str) -> None:
        """A slip in the name shows."""
        assert await problem(api, f"/v1/clusters/nobody/{path}") == (404, "unknown_cluster")

    async def test_a_recorded_secret_is_not_shown(self, api: Live, line: Line, told: Told) -> None:
        """What slipped into the log does not leave through the words."""
        secret = "AKIAIOSFODNN7EXAMPLE"
        leaky = told.better(told.rules[-1], f"The key {secret} opens it.")
        assert secret in leaky.payload.decode()
        await line.append([leaky], shard=DirectShard.EXPLANATIONS.value)
        await line.project()
        event = leaky.decoded()
        assert isinstance(event, Explaining)
        path = f"/v1/clusters/{told.cluster}"
        for asked in (
            "status", "explanations", f"explanations/{event.explains}?type={leaky.type}",
        ):  # fmt: skip
            answer = await api.client.get(f"{path}/{asked}")
            assert answer.status_code == 200
            assert secret not in answer.text
        assert Secret.KEY in (await api.client.get(f"{path}/explanations")).text


class TestIncidentPage:
    async def test_the_page_tells_the_whole_incident(self, api: Live, told: Told) -> None:
        """Causes, words, rankings and timeline between begin and end; the review is its
        headline."""
        path = f"/v1/clusters/{told.cluster}/incidents"
        (row, *_) = [i for i in await api.get(path) if i["worst"] == "critical"]
        page = await api.get(f"{path}/{row['began_ms'] // 1000}")
        assert {name: page[name] for name in row} == row
        assert page["causes"][0]["cause"] == "workers absent"
        assert page["complete"] is True
        until = row["ended_ms"] or 2**62
        for part in ("timeline", "rankings", "explanations"):
            assert page[part]
            assert all(row["began_ms"] <= one["at_ms"] <= until for one in page[part])
            assert [o["at_ms"] for o in page[part]] == sorted(o["at_ms"] for o in page[part])
        entries = await api.get(f"/v1/clusters/{told.cluster}/timeline")
        within = [e for e in entries if row["began_ms"] <= e["at_ms"] <= until]
        assert [h["event_id"] for h in page["timeline"]] == [e["event_id"] for e in within[::-1]]
        if row["ended_ms"] is not None:
            assert page["headline"] == page["review"]["headline"]

    async def test_a_change_before_it_is_on_the_page(
        self, api: Live, line: Line, told: Told
    ) -> None:
        """A configuration of the same day is told with who did it and why; one of the week before
        is not."""
        (row, *_) = await api.get(f"/v1/clusters/{told.cluster}/incidents")
        story = Story(told.cluster)
        for days, qps in ((7, 1), (0.5, 2)):
            story.slot = row["began_ms"] // 1000 - int(days * 86_400)
            story.configured({"qps": qps}, reason=f"{days} days before")
        await line.append(story.book.new, shard=DirectShard.CONFIG.value)
        await line.project()
        page = await api.get(f"/v1/clusters/{told.cluster}/incidents/{row['began_ms'] // 1000}")
        assert ["0.5 days before" in change["summary"] for change in page["changes"]] == [True]
        assert "ConfigChanged" not in {h["type"] for h in page["timeline"]}


class TestIssues:
    async def test_a_cluster_that_is_fine_has_none_and_an_old_one_has(
        self, api: Live, told: Told, clock: Clock, incident: Incident
    ) -> None:
        """The rows are those of the status; an hour later the age itself is the first issue."""
        path = f"/v1/clusters/{told.cluster}"
        now = await api.get(f"{path}/issues")
        status = await api.get(f"{path}/status")
        assert [i["subject"] for i in now if i["kind"] == "gate"] == status["fired"]
        assert {i["subject"] for i in now if i["kind"] == "cause"} == {
            c["cause"] for c in status["causes"]
        }
        clock.at = clock.at.add(hours=1)
        later = await api.get(f"{path}/issues")
        assert later[0]["kind"] == "outdated"
        assert "NOT CURRENT" in later[0]["summary"]
        assert [i["subject"] for i in later[1:]] == [i["subject"] for i in now]

    async def test_in_the_middle_of_it_the_cause_comes_first(
        self, line: Line, pg_dsn: str, incident: Incident
    ) -> None:
        """While workers are gone, that is the first row, with the runbook to open."""
        cluster, slots = incident
        upto = next(
            n for n, slot in enumerate(slots)
            if any(
                isinstance(e := event.decoded(), CausesRanked)
                and e.causes and e.status == "critical"
                for event in slot.events
            )
        )  # fmt: skip
        await line.tell([event for slot in slots[: upto + 1] for event in slot.events])
        now = Clock(Instant.from_timestamp(slots[upto].slot + 7))
        async with live(pg_dsn, now=now) as api:
            found = await api.get(f"/v1/clusters/{cluster}/issues")
        assert [i["rank"] for i in found] == list(range(1, len(found) + 1))
        assert (found[0]["kind"], found[0]["subject"]) == ("cause", "workers absent")
        assert found[0]["runbook"] == "workers-absent"
        assert found[0]["evidence"]
        assert "gate" in {i["kind"] for i in found}
        assert all(not isinstance(value, dict) for row in found for value in row.values())


class TestStream:
    @pytest.mark.parametrize("path", ["/v1/stream", "/v1/clusters/{c}/stream"])
    async def test_better_words_arrive_as_they_are_recorded(
        self, api: Live, line: Line, told: Told, path: str
    ) -> None:
        """A client that follows `TransitionExplained` gets a model's words when they come, and
        nothing else."""
        at = path.format(c=told.cluster)
        better = told.better(told.rules[0], "Better said.")
        async with stream(api, at, after="now", type="TransitionExplained") as messages:
            await anext(messages)
            await line.append([better], shard=DirectShard.EXPLANATIONS.value)
            async with asyncio.timeout(30):
                got = await anext(messages)
        assert (got.event, got.data["event_id"]) == ("TransitionExplained", str(better.event_id))
        assert got.data["data"]["revision"] == BY_MODEL
        assert got.data["data"]["explanation"]["headline"]["text"] == "Better said."

    async def test_a_cursor_from_before_there_were_words_reads_on(
        self, api: Live, line: Line, told: Told
    ) -> None:
        """A client that comes back with a cursor that knows no stream of explanations gets all of
        them: none is lost."""
        old = cursors.write({f"health/{told.cluster}": 10**9})
        got: list[Any] = []
        async with (
            asyncio.timeout(30),
            stream(
                api, f"/v1/clusters/{told.cluster}/stream", last_event_id=old,
            ) as messages,
        ):  # fmt: skip
            await anext(messages)
            while len(got) < len(told.rules):
                got.append((await anext(messages)).data["event_id"])
        assert got == [str(event.event_id) for event in told.rules]

    async def test_the_raw_log_has_the_stream(self, api: Live, told: Told) -> None:
        """Explanations are read by version, like every stream."""
        rows = await api.get("/v1/events", stream=f"explanation/{told.cluster}")
        assert [r["event_id"] for r in rows] == [str(e.event_id) for e in told.rules]
        assert {cluster_of(r["stream"]) for r in rows} == {told.cluster}
