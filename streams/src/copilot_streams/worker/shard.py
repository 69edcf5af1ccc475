"""One shard's writer: messages of one partition in, events in the log out, each exactly once.

Theory of operation. `write` takes messages in the order of their offsets and makes appends of them:

    drop      offsets at or below the head's: they are in the log already
    refuse    an offset that skips one is a defect: never append over a gap
    decode    what the door does not let through becomes a dead letter, and counts as dealt with
    fold      on a copy of the states, until 500 events or 1 MiB are together
    append    events, offset and held samples in one transaction
    adopt     only now do the new head and states become this writer's own

A failure anywhere before `adopt` leaves the writer as it was, so the same messages can be written
again; a failure after the append is found out by the head. Nothing here knows of Kafka's client, so
the same code runs under Faust, in the all-in-one process and in tests.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import structlog
from whenever import Instant

from copilot_core.errors import Conflict, Defect, Fenced, Rejected, Unavailable
from copilot_core.events import Causation, NewEvent
from copilot_core.fold import ClusterState, Outcome, carry_of, fold, restore_held
from copilot_core.rules import RulePack
from copilot_core.samples import Input, decode
from copilot_eventlog.protocol import EventLog, Head
from copilot_streams.worker import states

MAX_EVENTS: Final = 500
MAX_BYTES: Final = 1024 * 1024
MAX_CONFLICTS: Final = 3
RECENT_EVENTS: Final = 1000
"""Clusters are looked for in this many last events of a shard: every active one is among them, as
each records at least one event per slot. One that is not is loaded with its first message."""

log_ = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the samples topic. `sent_at_ms` is Unix time as Kafka recorded it."""

    offset: int
    key: bytes | None
    value: bytes | None
    sent_at_ms: int = 0


@dataclass(frozen=True, slots=True)
class Refused:
    """A message that will never be folded, where it stood, and why."""

    source: str
    topic: str
    partition: int
    message: Message
    error: Rejected


@dataclass(frozen=True, slots=True)
class Parts:
    """What a writer works with; the same for all shards of a process.

    `rules_of` gives the rules for a cluster; `refuse` makes a dead letter of a message, and may be
    called again for the same one; `clock` is the receiver's, against samples from the future.
    """

    log: EventLog
    topic: str
    source: str
    writer: str
    rules_of: Callable[[str], RulePack]
    refuse: Callable[[Refused], Awaitable[None]]
    clock: Callable[[], Instant]
    snapshot_every: int = 500


@dataclass(frozen=True, slots=True)
class Written:
    """What one append held; `newest_sent_at_ms` and outcomes are for metrics."""

    messages: tuple[Message, ...]
    events: tuple[NewEvent, ...]
    outcomes: Mapping[Outcome, int]
    refused: tuple[Refused, ...]


@dataclass(slots=True)
class _Batch:
    """An append in the making: states are copies, valid once the append is done."""

    states: dict[str, ClusterState] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)
    events: list[NewEvent] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    outcomes: dict[Outcome, int] = field(default_factory=dict)
    bytes: int = 0

    def full(self) -> bool:
        return len(self.events) >= MAX_EVENTS or self.bytes >= MAX_BYTES


Decoded = tuple[Message, Input | Rejected]


class ShardWriter:
    """The writer of one shard. Made by `take_over`; `write` must not run twice at a time.

    `states` are those of the log plus held samples, by cluster.
    """

    def __init__(self, parts: Parts, head: Head) -> None:
        self._parts = parts
        self.head = head
        self.states: dict[str, ClusterState] = {}
        self._snapshot_versions: dict[str, int] = {}

    @classmethod
    async def take_over(cls, parts: Parts, shard: int) -> ShardWriter:
        """Fence the former writer and load the states of the clusters that were active lately."""
        before = await parts.log.head(shard)
        head = await parts.log.take_over(shard, writer=parts.writer, source=parts.source)
        if before is not None and before.source != head.source:
            head = await _begin_new_source(parts.log, before, head)
        writer = cls(parts, head)
        after = max(-1, head.next_position - 1 - RECENT_EVENTS)
        recent = await parts.log.read(shard, after=after, limit=RECENT_EVENTS)
        await writer._load({*restore_held(head.carry), *(event.cluster for event in recent)})
        return writer

    @property
    def shard(self) -> int:
        """The shard, which is also the partition."""
        return self.head.shard

    @property
    def expected(self) -> int:
        """The offset of the next message that is not in the log yet."""
        return self.head.source_offset + 1

    async def begin_at(self, offset: int) -> None:
        """Move on to `offset` without having seen the messages before it.

        For messages that the broker no longer has; the caller has said so where people look.
        """
        self.head = await self._parts.log.append(
            self.head, (), source_offset=offset - 1, carry=carry_of(self.states)
        )

    async def write(self, messages: Sequence[Message]) -> list[Written]:
        """Fold messages and append what they decide; returns one entry per append made.

        Raises `Defect` for a gap in the offsets, `Fenced` when another writer took over,
        `Unavailable` when the log is away: then the same messages may be written again.
        """
        todo = self._decode(self._new(messages))
        written: list[Written] = []
        while todo:
            done = await self._append(todo)
            written.append(done)
            todo = todo[len(done.messages) :]
        return written

    def _new(self, messages: Sequence[Message]) -> list[Message]:
        """The messages that are not in the log, each once; refuses to skip one."""
        new: list[Message] = []
        for message in messages:
            expected = self.expected + len(new)
            if message.offset > expected:
                raise Defect(
                    f"offset {message.offset} after {expected - 1}: messages are missing",
                    where=f"{self._parts.topic}/{self.shard}",
                    todo="restart seeks again; a topic with transactions or compaction is unfit",
                )
            if message.offset == expected:
                new.append(message)
        return new

    def _decode(self, messages: Sequence[Message]) -> list[Decoded]:
        now = self._parts.clock()
        decoded: list[Decoded] = []
        for message in messages:
            try:
                decoded.append(
                    (message, decode(message.value, key=message.key or b"", received_at=now))
                )
            except Rejected as e:
                decoded.append((message, e))
        return decoded

    async def _append(self, todo: Sequence[Decoded]) -> Written:
        """One append of as many messages as fit, decided again when somebody wrote in between."""
        await self._load({m.cluster for _, m in todo if not isinstance(m, Rejected)})
        conflicts = 0
        while True:
            batch = self._decide(todo)
            for refused in batch.refused:
                await self._parts.refuse(refused)
            try:
                head = await self._parts.log.append(
                    self.head,
                    batch.events,
                    source_offset=batch.messages[-1].offset,
                    carry=carry_of(self.states | batch.states),
                )
            except Fenced:
                raise
            except Conflict as e:
                conflicts += 1
                if conflicts > MAX_CONFLICTS:
                    raise
                log_.warning("conflict: deciding again", shard=self.shard, what=e.what)
                await self._reload(batch.states)
            else:
                return await self._adopt(head, batch)

    def _decide(self, todo: Sequence[Decoded]) -> _Batch:
        batch = _Batch()
        for message, decoded in todo:
            if batch.full():
                break
            batch.messages.append(message)
            try:
                self._fold(batch, message, decoded)
            except Rejected as e:
                batch.refused.append(
                    Refused(self._parts.source, self._parts.topic, self.shard, message, e)
                )
        return batch

    def _fold(self, batch: _Batch, message: Message, decoded: Input | Rejected) -> None:
        if isinstance(decoded, Rejected):
            raise decoded
        cluster = decoded.cluster
        folded = fold(
            batch.states.get(cluster) or self.states[cluster],
            decoded,
            self._parts.rules_of(cluster),
            causation=Causation(self._parts.topic, self.shard, message.offset),
        )
        batch.states[cluster] = folded.state
        batch.events.extend(folded.events)
        batch.bytes += sum(len(event.payload) for event in folded.events)
        batch.outcomes[folded.outcome] = batch.outcomes.get(folded.outcome, 0) + 1

    async def _adopt(self, head: Head, batch: _Batch) -> Written:
        self.head = head
        self.states |= batch.states
        await self._snapshot(batch.states.values())
        return Written(
            tuple(batch.messages), tuple(batch.events), batch.outcomes, tuple(batch.refused)
        )

    async def _snapshot(self, changed: Iterable[ClusterState]) -> None:
        """Keep a snapshot of each state that moved far enough; one that fails only costs time."""
        for state in changed:
            since = state.health_version - self._snapshot_versions[state.cluster]
            if since < self._parts.snapshot_every:
                continue
            self._snapshot_versions[state.cluster] = state.health_version
            try:
                await self._parts.log.save_snapshot(states.snapshot_of(state))
            except Unavailable as e:
                log_.warning("snapshot not kept", cluster=state.cluster, what=e.what)

    async def _load(self, clusters: Iterable[str]) -> None:
        """Load the states of clusters that are not known yet, all at once."""
        missing = sorted(set(clusters) - self.states.keys())
        loaded = await asyncio.gather(*(states.load(self._parts.log, c) for c in missing))
        held = restore_held(self.head.carry) if missing else {}
        for cluster, found in zip(missing, loaded, strict=True):
            self.states[cluster] = replace(found.state, held=held.get(cluster))
            self._snapshot_versions[cluster] = found.snapshot_version

    async def _reload(self, clusters: Iterable[str]) -> None:
        for cluster in clusters:
            self.states.pop(cluster, None)
        await self._load(clusters)


async def _begin_new_source(log: EventLog, before: Head, head: Head) -> Head:
    """Offsets count anew from here; samples that were held wait on under the new source."""
    log_.warning(
        "new source: offsets count anew",
        shard=head.shard,
        was=before.source,
        source=head.source,
        last_offset=before.source_offset,
    )
    return await log.append(head, (), source_offset=head.source_offset, carry=before.carry)
