"""The explainer: every transition is told once, by rule, wherever it is interrupted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from itertools import chain, zip_longest

import pytest
from prometheus_client import CollectorRegistry

from copilot_core.errors import Fenced, Unavailable
from copilot_core.events import (
    HealthTransitioned,
    IncidentReviewed,
    NewEvent,
    TransitionExplained,
    encode,
)
from copilot_eventlog.direct import DirectShard, DirectWriter
from copilot_eventlog.explanation_log import append_once, key_of
from copilot_eventlog.memory import MemoryLog
from copilot_eventlog.protocol import EventLog, Head
from copilot_workflows.books import read_book
from copilot_workflows.explainer import follower
from copilot_workflows.explainer.follower import Explainer, positions_of
from copilot_workflows.subjects import EXPLAINED, told_by_rules
from tests.integration.eventlog.logs import InMemory, OnFailingDsql, OnPostgres
from tests.integration.workflows.incidents import explanations, fill, once, pages, subjects


async def explainer(log: EventLog, registry: CollectorRegistry | None = None) -> Explainer:
    """An explainer that has just taken over."""
    return await Explainer.taken_over(log, registry or CollectorRegistry(), writer="test")


async def run_dry(explainer: Explainer) -> None:
    """Let it explain everything that is there."""
    await explainer.refresh()
    while await explainer.step():
        pass


class ExplainerContract:
    """What the explainer promises, on every log."""

    async def test_every_transition_is_told_once(self, log: EventLog) -> None:
        """Each transition is explained, each incident that ended is reviewed, in order, once."""
        recorded = [
            *await fill(log, pages(), shard=0),
            *await fill(log, pages("t1-slots-exhausted", cluster="billing"), shard=1),
        ]
        await run_dry(await explainer(log))
        for cluster in ("orders", "billing"):
            told = await explanations(log, cluster)
            wanted = [s for s in subjects(recorded) if s.cluster == cluster]
            assert [key_of(e) for e in told] == [
                (EXPLAINED[s.kind].__name__, s.explains, 1) for s in wanted
            ]
        assert {type(e) for e in await explanations(log)} == {TransitionExplained, IncidentReviewed}

    async def test_a_restart_tells_nothing_twice(self, log: EventLog) -> None:
        """A new explainer goes on where the positions in its head say, between any two pages."""
        messages = pages()
        for i in range(0, len(messages), 7):
            await fill(log, messages[i : i + 7])
            await run_dry(await explainer(log))
        told = await explanations(log)
        assert once(told)
        assert len(told) == len(subjects(await log.read(0, limit=10_000)))
        head = await log.head(DirectShard.EXPLAINER.value)
        assert head is not None
        assert head.source_offset == -1

    async def test_what_a_workflow_told_is_left_out(self, log: EventLog) -> None:
        """A workflow that came first has told revision 1; the explainer tells the others."""
        recorded = await fill(log, pages())
        wanted = subjects(recorded)
        first = wanted[2]
        read = await read_book(log, "orders", first.explains, at=first.at)
        event = told_by_rules(read.book, first)
        writer = DirectWriter(log, DirectShard.EXPLANATIONS, writer="workflow")
        await append_once(log, writer, "orders", event, since=read.explained.recorded_at)
        await run_dry(await explainer(log))
        told = await explanations(log)
        assert once(told)
        assert len(told) == len(wanted)
        assert told[0] == event

    async def test_workflows_at_the_same_time(self, log: EventLog) -> None:
        """Explainer and workflows that tell the same things at once tell each of them once."""
        recorded = await fill(log, pages())
        writer = DirectWriter(log, DirectShard.EXPLANATIONS, writer="workflow")

        async def tell_all() -> None:
            for subject in reversed(subjects(recorded)):
                read = await read_book(log, "orders", subject.explains, at=subject.at)
                event = told_by_rules(read.book, subject)
                await append_once(log, writer, "orders", event, since=read.explained.recorded_at)

        await asyncio.gather(run_dry(await explainer(log)), tell_all())
        told = await explanations(log)
        assert once(told)
        assert len(told) == len(subjects(recorded))

    async def test_a_successor_fences(self, log: EventLog) -> None:
        """The former explainer appends nothing more once another one has taken over."""
        former = await explainer(log)
        successor = await explainer(log)
        await fill(log, pages())
        with pytest.raises(Fenced):
            await run_dry(former)
        assert await explanations(log) == []
        await run_dry(successor)
        assert once(await explanations(log))


class TestInMemory(InMemory, ExplainerContract):
    """The contract, in memory."""


class TestOnPostgres(OnPostgres, ExplainerContract):
    """The contract, in PostgreSQL."""


class TestOnFailingDsql(OnFailingDsql, ExplainerContract):
    """The contract, where a third of all transactions fail or lose their answer."""


class Unanswering(MemoryLog):
    """A log whose next append is made or not, and not answered either way."""

    def __init__(self, *, made: bool) -> None:
        super().__init__()
        self.struck = False
        self._made = made

    async def append(self, head: Head, events, *, source_offset, carry=b"") -> Head:
        if self.struck or head.shard != DirectShard.EXPLAINER.value:
            return await super().append(head, events, source_offset=source_offset, carry=carry)
        self.struck = True
        if self._made:
            await super().append(head, events, source_offset=source_offset, carry=carry)
        raise Unavailable("no answer")


@pytest.mark.parametrize("made", [True, False])
async def test_an_append_without_an_answer(made: bool) -> None:
    """Whether it was made or not: the next pass finds out, and tells nothing twice."""
    log = Unanswering(made=made)
    await fill(log, pages())
    there = await explainer(log)
    with pytest.raises(Unavailable):
        await run_dry(there)
    await run_dry(there)
    told = await explanations(log)
    assert once(told)
    assert len(told) == len(subjects(await log.read(0, limit=10_000)))


async def test_positions_are_kept_with_what_was_told() -> None:
    """The head's carry says how far the explainer had come when it last appended."""
    log = MemoryLog()
    recorded = await fill(log, pages())
    there = await explainer(log)
    await run_dry(there)
    head = await log.head(DirectShard.EXPLAINER.value)
    assert head is not None
    last = [e for e in recorded if e.type == "HealthTransitioned"][-1]
    assert positions_of(head.carry) == {0: last.position}
    assert there.positions == {0: recorded[-1].position}


async def test_what_has_no_words_is_buried() -> None:
    """A transition that contradicts its envelope is a dead letter; the others are explained."""
    log = MemoryLog()
    await fill(log, [[_dated(e) for e in page] for page in pages()])
    registry = CollectorRegistry()
    await run_dry(await explainer(log, registry))
    letters = await log.dead_letters()
    assert [letter.code for letter in letters] == ["unknown_event"]
    labels = {"reason": "unknown_event"}
    assert registry.get_sample_value("copilot_explainer_dead_letters_total", labels) == 1
    wanted = subjects(await log.read(0, limit=10_000))
    assert len(await explanations(log)) == len(wanted) - 1


@pytest.mark.parametrize(("bound", "at_most"), [("STREAMS", 2), ("KEYS", 1)])
async def test_more_clusters_than_are_remembered(
    monkeypatch: pytest.MonkeyPatch, bound: str, at_most: int
) -> None:
    """A batch names the cluster that is remembered longest and two that are new: every transition
    is told once, and between batches no more is remembered than may be."""
    monkeypatch.setattr(follower, bound, at_most)
    log, messages = MemoryLog(), {name: pages(cluster=name) for name in "abcd"}
    there = await explainer(log)
    half = len(messages["a"]) // 2
    await fill(log, _side_by_side(messages[name][:half] for name in "ab"))
    await run_dry(there)
    await fill(log, _side_by_side([messages["a"][half:], messages["c"], messages["d"]]))
    await fill(log, messages["b"][half:])
    await run_dry(there)
    remembered = {"STREAMS": len(there._streams), "KEYS": sum(map(len, there._streams.values()))}
    assert remembered[bound] <= at_most
    recorded = await log.read(0, limit=100_000)
    for name in "abcd":
        told = await explanations(log, name)
        assert [key_of(e) for e in told] == [
            (EXPLAINED[s.kind].__name__, s.explains, 1)
            for s in subjects(recorded)
            if s.cluster == name
        ]


def _side_by_side(clusters: Iterable[list[list[NewEvent]]]) -> list[list[NewEvent]]:
    """What clusters decide at the same time, as one message after the other."""
    return [list(chain(*same)) for same in zip_longest(*clusters, fillvalue=[])]


def _dated(event: NewEvent) -> NewEvent:
    """The first transition says an hour that is not that of its envelope."""
    if event.type != HealthTransitioned.__name__ or event != transitions_of_incident()[0]:
        return event
    told = event.decoded()
    assert isinstance(told, HealthTransitioned)
    return replace(event, payload=encode(told.model_copy(update={"slot": told.slot - 3600})))


def transitions_of_incident() -> list[NewEvent]:
    """The transitions of the recording."""
    return [e for page in pages() for e in page if e.type == HealthTransitioned.__name__]
