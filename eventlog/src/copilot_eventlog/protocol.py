"""The log, as everybody outside this package sees it.

Theory of operation. The log is a set of *shards*, one per partition of the samples topic, and from
`DIRECT_SHARDS` on a few for those who write what no message led to. A shard has one writer at a
time and dense positions from 0; there is no order across shards. Its *head* holds, in one row, the
fencing token (`epoch`), the next position, the Kafka offset that the last append was decided from,
and a small `carry` that the writer wants back (samples it holds while it waits for an earlier
slot). An append is one transaction: the events and the new head, or nothing.

    take_over   epoch + 1; the former writer is fenced from now on
    append      checks epoch and next position; on success the head has moved
    read        events of a shard by position; read_stream: events of a stream by version

Law: whatever is told to a caller as appended is there for ever, once, in order, unchanged.
Every implementation passes `tests/integration/eventlog/contract.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from whenever import Instant

from copilot_core.events import NewEvent, RecordedEvent

DIRECT_SHARDS: Final = 1_000_000
"""Shards with this number and above belong to no partition; no topic has as many."""


@dataclass(frozen=True, slots=True)
class Head:
    """Where a shard stands, and the right to write to it.

    `source` is the incarnation of what `source_offset` counts in (topic name and cluster id of the
    broker): an offset means nothing in another incarnation. `source_offset` is -1 before the first
    message. `carry` is opaque to the log.
    """

    shard: int
    epoch: int
    next_position: int
    source: str
    source_offset: int
    carry: bytes
    writer: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Folded state of one stream after its event `version`, at event time `occurred_at`."""

    stream: str
    version: int
    occurred_at: Instant
    payload: bytes


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far a reader of the log has come in one shard.

    `reader` and `build` name who reads (a projection and its build, the relay); `position` is the
    last position dealt with, -1 before the first.
    """

    reader: str
    build: str
    shard: int
    position: int


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An input that was refused, or an event that a read model could not take.

    `source` says where it came from (`copilot.samples.v1/3@1742`, `view:incidents/shard 3@88`);
    `body` is what was refused, cut to 64 kB.
    """

    id: str
    source: str
    code: str
    reason: str
    body: bytes
    at: Instant
    redriven_at: Instant | None = None

    @classmethod
    def of_event(
        cls, event: RecordedEvent, *, reader: str, code: str, reason: str, at: Instant
    ) -> DeadLetter:
        """The letter of an event that a reader of the log could not take; each time the same id."""
        source = f"{reader}/shard {event.shard}@{event.position}"
        return cls(id=source, source=source, code=code, reason=reason, body=event.payload, at=at)


class EventLog(Protocol):
    """The protocol; see the module's docstring for its laws.

    Every method raises `Unavailable` when the store does not answer within its retries.
    """

    async def take_over(self, shard: int, *, writer: str, source: str) -> Head:
        """Become the writer of a shard; the former writer's next append raises `Fenced`.

        A `source` other than the head's starts counting offsets anew: `source_offset` -1, no carry.
        """
        ...

    async def head(self, shard: int) -> Head | None:
        """The head of a shard without any right to write, or None for a shard never written."""
        ...

    async def append(
        self, head: Head, events: Sequence[NewEvent], *, source_offset: int, carry: bytes = b""
    ) -> Head:
        """Append events after `head` and move it; returns the new head.

        An empty `events` only moves the offset and the carry. A lost answer is resolved by
        re-reading the head: the same append is never made twice. Raises `Fenced` when another
        writer took over, `Conflict` when a stream version exists already, `Unavailable` after
        retries, `Defect` when the head was moved by nobody known or the batch is no transaction.
        """
        ...

    async def read(self, shard: int, *, after: int = -1, limit: int = 1000) -> list[RecordedEvent]:
        """At most `limit` events of a shard behind position `after`, in order."""
        ...

    async def read_stream(
        self, stream: str, *, after: int = 0, limit: int = 1000, newest_first: bool = False
    ) -> list[RecordedEvent]:
        """At most `limit` events of a stream with a version above `after`, in order of version.

        With `newest_first` the order is reversed: the last events of the stream come first.
        """
        ...

    async def shards(self) -> list[int]:
        """The shards that have a head, ascending."""
        ...

    async def save_snapshot(self, snapshot: Snapshot) -> None:
        """Keep a snapshot; one that exists already (same stream and version) is left as it is."""
        ...

    async def latest_snapshot(
        self, stream: str, *, at_or_before: Instant | None = None
    ) -> Snapshot | None:
        """The newest snapshot of a stream, or the newest one not after an instant of event time."""
        ...

    async def load_checkpoint(self, reader: str, build: str, shard: int) -> Checkpoint:
        """Where a reader stands; position -1 when it never read."""
        ...

    async def save_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Move a reader's checkpoint; it never moves backwards."""
        ...

    async def bury(self, letter: DeadLetter) -> None:
        """Keep a dead letter; the same id twice is one letter."""
        ...

    async def dead_letters(self, *, after_id: str = "", limit: int = 100) -> list[DeadLetter]:
        """Dead letters that were not redriven yet, by id."""
        ...

    async def mark_redriven(self, letter_id: str, at: Instant) -> None:
        """Note that a dead letter was put back on its way."""
        ...

    async def close(self) -> None:
        """Give connections back; the log cannot be used afterwards."""
        ...
