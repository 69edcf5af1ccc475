"""Every transition in words, exactly once, by rule.

Theory of operation. The explainer reads the log as a worker reads its partition, and writes to a
shard of its own, `DirectShard.EXPLAINER`, which it takes over at its start: the former explainer
can append no more. How far it has come in every shard is the *carry* of that shard's head, and an
append is one transaction: the explanations and the positions, or nothing. So each transition has
its effect once, wherever a crash strikes.

A workflow may have told revision 1 before the explainer came to it. The stream's version is the
lock between them (`copilot_eventlog.explanation_log`): what is there already is left out.

A transition that cannot be put into words is buried as a dead letter and counted; it must not keep
all others from being explained.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

import orjson
import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from whenever import Instant

from copilot_core.errors import Conflict, Fenced, Rejected, Unavailable
from copilot_core.events import Explaining, NewEvent, RecordedEvent, new_event
from copilot_eventlog.direct import NO_OFFSET, DirectShard
from copilot_eventlog.explanation_log import ATTEMPTS, ExplanationStream, key_of
from copilot_eventlog.places import lag
from copilot_eventlog.protocol import DeadLetter, EventLog, Head
from copilot_workflows.books import SLOT_EVENTS, Shelf, read_book
from copilot_workflows.following import PAGE, partition_shards
from copilot_workflows.subjects import Subject, subjects_of, told_by_rules

BATCH: Final = 20
"""Transitions whose explanations go into one append: 0.1 MB, and a wait of some 0.2 s for the first
of them."""
KEEP_EVERY_S: Final = 5.0
"""How often positions are kept while nothing is explained: what a restart reads again."""
STREAMS: Final = 1000
"""Clusters whose streams of explanations are remembered between batches."""
KEYS: Final = 100_000
"""Keys of explanations that are remembered between batches, all clusters together: 40 MB. The
clusters that were silent longest go first, and are read again when they are asked for."""

log_ = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Told:
    """What is said of a transition, and when that was recorded."""

    cluster: str
    since: Instant
    event: Explaining


class Explainer:
    """Explains by rule what the shards of partitions hold; make one with `taken_over`.

    `positions` is the last position dealt with, by shard.
    """

    def __init__(self, log: EventLog, head: Head, registry: CollectorRegistry) -> None:
        self.positions: dict[int, int] = {}
        self._log = log
        self._head = head
        self._in_doubt = False
        self._kept = positions_of(head.carry)
        self._kept_at = time.monotonic()
        self._shelf = Shelf(log)
        self._streams: dict[str, ExplanationStream] = {}
        self._metrics = _Metrics(registry)

    @classmethod
    async def taken_over(
        cls, log: EventLog, registry: CollectorRegistry, *, writer: str
    ) -> Explainer:
        """The explainer from now on: the former one can append no more.

        Raises `Unavailable` when the log does not answer.
        """
        shard = DirectShard.EXPLAINER
        head = await log.take_over(shard.value, writer=writer, source=shard.source)
        return cls(log, head, registry)

    async def refresh(self) -> None:
        """See `Follower.refresh`."""
        for shard in await partition_shards(self._log):
            position = self.positions.setdefault(shard, self._kept.get(shard, -1))
            self._metrics.lag.labels(str(shard)).set(await lag(self._log, shard, position))

    async def step(self) -> int:
        """See `Follower.step`. Raises `Fenced` when another explainer took over."""
        if self._in_doubt:
            await self._settle_doubt()
        moved = 0
        for shard in list(self.positions):
            page = await self._log.read(shard, after=self.positions[shard], limit=PAGE)
            moved += len(page)
            await self._explain(shard, page)
        if self.positions != self._kept and time.monotonic() - self._kept_at > KEEP_EVERY_S:
            await self._append([], self.positions)
        return moved

    async def _explain(self, shard: int, page: Sequence[RecordedEvent]) -> None:
        """Explain what is in a page, some transitions per append, and move behind it."""
        asked = [(event, subjects) for event in page if (subjects := await self._subjects(event))]
        for batch in (asked[i : i + BATCH] for i in range(0, len(asked), BATCH)):
            near_the_end = page[-1].position - SLOT_EVENTS if len(page) == PAGE else math.inf
            worded = []
            for one in batch:
                self._shelf.put(page)  # again: what was asked for last is kept since
                worded.append(await self._worded(*one, gone_by=one[0].position < near_the_end))
            await self._tell(list(chain(*worded)), {**self.positions, shard: batch[-1][0].position})
        self._shelf.put(page)
        if page:
            self.positions[shard] = page[-1].position

    async def _subjects(self, event: RecordedEvent) -> tuple[Subject, ...]:
        try:
            return subjects_of(event)
        except Rejected as e:
            await self._bury(event, e.code, str(e))
            return ()

    async def _worded(
        self, event: RecordedEvent, subjects: Sequence[Subject], *, gone_by: bool
    ) -> list[_Told]:
        """What is said of a transition; nothing where there are no words for it.

        `gone_by` says that the shelf has seen everything that was decided with it.
        """
        try:
            at = subjects[0].at
            if gone_by:
                read = await self._shelf.read(event.cluster, event.event_id, at=at)
            else:
                read = await read_book(self._log, event.cluster, event.event_id, at=at)
            return [
                _Told(event.cluster, event.recorded_at, told_by_rules(read.book, subject))
                for subject in subjects
            ]
        except Unavailable:
            raise
        except Rejected as e:
            await self._bury(event, e.code, str(e))
        except Exception as e:
            log_.exception("not explained", event=str(event.event_id))
            await self._bury(event, "unexpected", f"{type(e).__name__}: {e}")
        return []

    async def _tell(self, told: Sequence[_Told], positions: Mapping[int, int]) -> None:
        """Append what was not told yet, together with the positions."""
        for _ in range(ATTEMPTS):
            fresh = await self._fresh(told)
            try:
                await self._append(fresh, positions)
            except Fenced:
                raise
            except Conflict:
                continue
            self._count(told, len(fresh))
            self._forget()
            return
        raise Unavailable(
            f"{ATTEMPTS} times another explanation came in between", where="explainer"
        )

    async def _fresh(self, told: Sequence[_Told]) -> list[NewEvent]:
        """The explanations that nobody has told, as the next versions of their streams."""
        for cluster, since in {t.cluster: t.since for t in reversed(told)}.items():
            await self._stream(cluster).look(since=since)
        versions = {t.cluster: self._streams[t.cluster].newest for t in told}
        fresh: list[NewEvent] = []
        for t in told:
            if self._streams[t.cluster].find(key_of(t.event)) is None:
                versions[t.cluster] += 1
                fresh.append(new_event(t.event, cluster=t.cluster, version=versions[t.cluster]))
        return fresh

    def _stream(self, cluster: str) -> ExplanationStream:
        """The stream of a cluster, which is now the last that would be forgotten."""
        stream = self._streams.pop(cluster, None) or ExplanationStream(self._log, cluster)
        self._streams[cluster] = stream
        return stream

    def _forget(self) -> None:
        """Between two batches: a batch needs the streams of all its clusters."""
        keys = sum(map(len, self._streams.values()))
        while self._streams and (len(self._streams) > STREAMS or keys > KEYS):
            silent = next(iter(self._streams))
            keys -= len(self._streams.pop(silent))

    async def _append(self, events: Sequence[NewEvent], positions: Mapping[int, int]) -> None:
        try:
            self._head = await self._log.append(
                self._head, events, source_offset=NO_OFFSET, carry=carry_of(positions)
            )
        except Unavailable:
            self._in_doubt = True
            raise
        self._kept, self._kept_at = dict(positions), time.monotonic()
        self.positions.update(positions)

    async def _settle_doubt(self) -> None:
        """After an append without an answer: fence it, and see where the shard stands."""
        shard, ours = DirectShard.EXPLAINER, self._head
        now = await self._log.head(shard.value)
        if now is None or now.epoch != ours.epoch:
            raise Fenced(
                "another explainer took over", where=f"shard {shard.value}", todo="run one of them"
            )
        self._head = await self._log.take_over(shard.value, writer=ours.writer, source=shard.source)
        self._in_doubt = False

    async def _bury(self, event: RecordedEvent, code: str, reason: str) -> None:
        letter = DeadLetter.of_event(
            event, reader="explainer", code=code, reason=reason, at=Instant.now()
        )
        await self._log.bury(letter)
        self._metrics.letters.labels(code).inc()

    def _count(self, told: Sequence[_Told], fresh: int) -> None:
        now = Instant.now()
        for t in told:
            self._metrics.waited.observe((now - t.since).total("seconds"))
        self._metrics.explained.inc(fresh)


class _Metrics:
    """What the explainer tells about itself."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.explained = Counter(
            "copilot_explainer_explanations_total",
            "Explanations by rule that were appended",
            registry=registry,
        )
        self.letters = Counter(
            "copilot_explainer_dead_letters_total",
            "Transitions that could not be put into words, by reason",
            ["reason"],
            registry=registry,
        )
        self.waited = Histogram(
            "copilot_explainer_seconds",
            "From a transition in the log to its explanation in the log, by both clocks",
            buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600),
            registry=registry,
        )
        self.lag = Gauge(
            "copilot_explainer_lag_events",
            "Events recorded but not looked at",
            ["shard"],
            registry=registry,
        )


def carry_of(positions: Mapping[int, int]) -> bytes:
    """Positions by shard, as the head keeps them."""
    return orjson.dumps({str(shard): positions[shard] for shard in sorted(positions)})


def positions_of(carry: bytes) -> dict[int, int]:
    """Read what `carry_of` wrote; nothing for a shard never written."""
    return {int(shard): position for shard, position in orjson.loads(carry or b"{}").items()}
