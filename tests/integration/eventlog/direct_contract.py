"""What direct appends and the log of explanations promise; one class, run against every log.

A test class derives from `DirectContract` and from a class of `logs.py`, which gives the fixtures
`log` and `rival`. What a single stream promises is shown by `config_contract.py`.
"""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid5

import pytest

from copilot_core.errors import Conflict, Rejected
from copilot_core.events import (
    NAMESPACE,
    Explaining,
    ExplanationSource,
    IncidentReviewed,
    NewEvent,
    RecordedEvent,
    StateAssessed,
    TransitionExplained,
    encode,
    new_event,
)
from copilot_core.explanation import Explanation, NextStep, Sentence
from copilot_eventlog import audit, explanation_log
from copilot_eventlog.direct import DirectShard, DirectWriter
from copilot_eventlog.explanation_log import PAGE, ExplanationStream, key_of
from copilot_eventlog.protocol import EventLog
from tests.integration.eventlog.contract import SOURCE, T0, events

SINCE = T0
"""Before anything that these tests record."""


def explained(
    n: int, revision: int = 1, *, sort: type[Explaining] = TransitionExplained, text: str = "So."
) -> Explaining:
    """An explanation of the n-th transition."""
    return sort(
        at=T0.timestamp() + 30 * n,
        explains=uuid5(NAMESPACE, str(n)),
        revision=revision,
        source=ExplanationSource.RULES,
        signature=f"{n:064x}",
        explanation=Explanation(
            headline=Sentence(text=text), since=(), certainty=(), causes=(), path=(),
            changed_before=(), not_seen=(), next_step=NextStep(action="Wait."),
        ),
    )  # fmt: skip


def writer(log: EventLog, shard: DirectShard = DirectShard.EXPLANATIONS) -> DirectWriter:
    """The door of one process."""
    return DirectWriter(log, shard, writer="test")


async def told(log: EventLog, cluster: str = "a") -> list[tuple[str, UUID, int]]:
    """The keys of everything in a stream of explanations, in order."""
    recorded = await log.read_stream(f"explanation/{cluster}")
    return [key_of(e) for r in recorded if isinstance(e := r.decoded(), Explaining)]


def explanation_of(n: int) -> NewEvent:
    """The n-th event of the stream `explanation/a`."""
    return new_event(explained(n), cluster="a", version=n)


async def append(log: EventLog, event: Explaining, *, cluster: str = "a") -> RecordedEvent:
    """Append as one workflow would."""
    return await explanation_log.append_once(log, writer(log), cluster, event, since=SINCE)


class DirectContract:
    """The laws of direct appends and of explanations, one fact a test."""

    async def test_kinds_of_writers_have_shards_of_their_own(self, log: EventLog) -> None:
        """Each kind writes to its shard; a worker's shard and the others' are left alone."""
        worker = await log.take_over(3, writer="worker", source=SOURCE)
        for kind in DirectShard:
            stream = f"{kind.name.lower()}/a"
            await writer(log, kind).append(events(1, 1, stream=stream)[0])
        assert await log.head(3) == worker
        assert await log.shards() == [3, *(kind.value for kind in DirectShard)]
        for kind in DirectShard:
            assert [e.stream for e in await log.read(kind.value)] == [f"{kind.name.lower()}/a"]

    async def test_tasks_of_one_process_queue_up(self, log: EventLog) -> None:
        """Thirty appends at once through one door are thirty events; none fences another."""
        door = writer(log)
        await asyncio.gather(*(door.append(events(1, 1, stream=f"x/{n}")[0]) for n in range(30)))
        assert len(await log.read(DirectShard.EXPLANATIONS.value)) == 30

    async def test_the_wrong_bytes_are_a_conflict(self, log: EventLog, rival: EventLog) -> None:
        """A version that holds something else is told, not overwritten."""
        first = await writer(log).append(explanation_of(1))
        with pytest.raises(Conflict):
            await writer(rival).append(new_event(explained(2), cluster="a", version=1))
        assert await log.read_stream("explanation/a") == [first]

    async def test_an_explanation_is_told_once(self, log: EventLog) -> None:
        """What has the same key is the same: the first one counts, whatever the second says."""
        first = await append(log, explained(1))
        assert first.payload == encode(explained(1))
        assert await append(log, explained(1, text="Otherwise.")) == first
        assert await explanation_log.find(log, "a", key_of(explained(1)), since=SINCE) == first
        assert len(await told(log)) == 1

    async def test_keys_tell_types_and_revisions_apart(self, log: EventLog) -> None:
        """One transition has several explanations: each revision, the review, the assessment."""
        wanted = [
            explained(1), explained(1, 2), explained(1, sort=IncidentReviewed),
            explained(1, sort=StateAssessed), explained(2),
        ]  # fmt: skip
        for event in [*wanted, *wanted]:
            await append(log, event)
        assert await told(log) == [key_of(event) for event in wanted]

    async def test_clusters_do_not_see_each_other(self, log: EventLog) -> None:
        """The same key in two clusters is two explanations."""
        for cluster in ("a", "b"):
            await append(log, explained(1), cluster=cluster)
        assert await told(log, "a") == await told(log, "b") == [key_of(explained(1))]

    async def test_many_writers_tell_everything_once(self, log: EventLog, rival: EventLog) -> None:
        """Two processes told to tell the same ten things at once tell each of them once."""

        async def tell(door: EventLog, numbers: list[int]) -> None:
            mine = writer(door)
            for n in numbers:
                await explanation_log.append_once(door, mine, "a", explained(n), since=SINCE)

        numbers = list(range(10))
        await asyncio.gather(tell(log, numbers), tell(rival, numbers[::-1]))
        assert sorted(await told(log)) == sorted(key_of(explained(n)) for n in numbers)

    async def test_a_look_reaches_back_over_pages(self, log: EventLog) -> None:
        """What was told more than a page ago is found; a second look reads only what is new."""
        head = await log.take_over(DirectShard.EXPLAINER.value, writer="w", source="direct/x")
        many = [explanation_of(n) for n in range(1, 2 * PAGE + 5)]
        await log.append(head, many, source_offset=-1)
        stream = ExplanationStream(log, "a")
        await stream.look(since=SINCE)
        assert stream.newest == len(many)
        for n in (1, PAGE, len(many)):
            assert stream.find(key_of(explained(n))) == n
        await append(log, explained(1, 2))
        assert stream.find(key_of(explained(1, 2))) is None
        await stream.look(since=SINCE)
        assert stream.find(key_of(explained(1, 2))) is not None

    async def test_what_nobody_asks_for_is_forgotten(self, log: EventLog) -> None:
        """A look keeps what its moment reaches back to; an earlier moment reads it again."""
        first = await append(log, explained(1))
        await append(log, explained(2))
        stream = ExplanationStream(log, "a")
        await stream.look(since=SINCE)
        assert len(stream) == 2
        long_after = first.recorded_at.add(hours=1)
        await stream.look(since=long_after)
        assert (len(stream), stream.newest) == (1, 2)
        await append(log, explained(3))
        await stream.look(since=long_after)
        assert (len(stream), stream.newest) == (1, 3)
        await stream.look(since=SINCE)
        assert [stream.find(key_of(explained(n))) for n in (1, 2, 3)] == [1, 2, 3]
        assert stream.rests_on(explained(1).signature)

    async def test_a_search_has_an_end(self, log: EventLog) -> None:
        """What lies too far back is an error: it is neither read for ever nor told twice."""
        head = await log.take_over(DirectShard.EXPLAINER.value, writer="w", source="direct/x")
        many = [explanation_of(n) for n in range(1, 2 * PAGE + 5)]
        await log.append(head, many, source_offset=-1)
        stream = ExplanationStream(log, "a", back=PAGE)
        with pytest.raises(Rejected, match="explanations were recorded since") as caught:
            await stream.look(since=SINCE)
        assert caught.value.code == "too_far_back"
        assert PAGE <= len(stream) <= 2 * PAGE

    async def test_an_empty_stream_is_looked_at_again(self, log: EventLog) -> None:
        """Nothing found is no answer for ever."""
        stream = ExplanationStream(log, "a")
        await stream.look(since=SINCE)
        assert (stream.newest, stream.find(key_of(explained(1)))) == (0, None)
        await append(log, explained(1))
        await stream.look(since=SINCE)
        assert (stream.newest, stream.find(key_of(explained(1))) is None) == (1, False)

    async def test_a_log_with_explanations_is_sound(self, log: EventLog) -> None:
        """`copilot log verify`'s checks hold for the streams and shards of explanations."""
        for n in range(1, 4):
            await append(log, explained(n))
        findings: list[audit.Finding] = []
        verified = await audit.verify(log, report=findings.append)
        assert findings == []
        assert (verified.shards, verified.streams, verified.events) == (1, 1, 3)
