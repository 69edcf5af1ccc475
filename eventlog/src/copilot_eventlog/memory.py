"""The log in memory: the same laws without a database, for evaluation runs and tests.

It ships because it is used: whatever folds a recording on a laptop appends to it. It passes the
same contract suite as PostgreSQL. Nothing outlives the process.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice

from whenever import Instant

from copilot_core.errors import Conflict, Defect
from copilot_core.events import NewEvent, RecordedEvent
from copilot_eventlog.batch import MAX_BODY_BYTES, check_batch, settle
from copilot_eventlog.protocol import Checkpoint, DeadLetter, Head, Snapshot


class MemoryLog:
    """An `EventLog` in memory. `clock` gives the instant at which events count as recorded.

    Methods do not await in between, so concurrent tasks see each other's appends whole.
    """

    def __init__(self, *, clock: Callable[[], Instant] = Instant.now) -> None:
        self._clock = clock
        self._heads: dict[int, Head] = {}
        self._shards: dict[int, list[RecordedEvent]] = {}
        self._streams: dict[str, dict[int, RecordedEvent]] = {}
        self._snapshots: dict[str, dict[int, Snapshot]] = {}
        self._checkpoints: dict[tuple[str, str, int], Checkpoint] = {}
        self._letters: dict[str, DeadLetter] = {}
        self._closed = False

    async def take_over(self, shard: int, *, writer: str, source: str) -> Head:
        """See `EventLog.take_over`."""
        self._check_open()
        old = self._heads.get(shard) or Head(shard, 0, 0, source, -1, b"", writer)
        same = old.source == source
        head = Head(
            shard=shard,
            epoch=old.epoch + 1,
            next_position=old.next_position,
            source=source,
            source_offset=old.source_offset if same else -1,
            carry=old.carry if same else b"",
            writer=writer,
        )
        self._heads[shard] = head
        return head

    async def head(self, shard: int) -> Head | None:
        """See `EventLog.head`."""
        self._check_open()
        return self._heads.get(shard)

    async def append(
        self, head: Head, events: Sequence[NewEvent], *, source_offset: int, carry: bytes = b""
    ) -> Head:
        """See `EventLog.append`."""
        self._check_open()
        check_batch(events, carry)
        now = self._heads.get(head.shard)
        written = self._shards.setdefault(head.shard, [])
        if now is None or (now.epoch, now.next_position) != (head.epoch, head.next_position):
            return settle(head, now, events, written[head.next_position :])
        for event in events:
            if event.version in self._streams.get(event.stream, {}):
                raise Conflict(
                    "a row with this key exists already",
                    where=f"append to shard {head.shard}: {event.stream}#{event.version}",
                    todo="reload, decide again",
                )
        recorded_at = _to_microsecond(self._clock())
        for position, event in enumerate(events, start=head.next_position):
            recorded = _record(event, shard=head.shard, position=position, recorded_at=recorded_at)
            written.append(recorded)
            self._streams.setdefault(event.stream, {})[event.version] = recorded
        moved = replace(
            now,
            next_position=head.next_position + len(events),
            source_offset=source_offset,
            carry=carry,
        )
        self._heads[head.shard] = moved
        return moved

    async def read(self, shard: int, *, after: int = -1, limit: int = 1000) -> list[RecordedEvent]:
        """See `EventLog.read`."""
        self._check_open()
        return self._shards.get(shard, [])[after + 1 : after + 1 + limit]

    async def read_stream(
        self, stream: str, *, after: int = 0, limit: int = 1000, newest_first: bool = False
    ) -> list[RecordedEvent]:
        """See `EventLog.read_stream`."""
        self._check_open()
        events = self._streams.get(stream, {})
        versions = sorted(events)
        versions = versions[bisect_right(versions, after) :]
        if newest_first:
            versions.reverse()
        return [events[version] for version in versions[:limit]]

    async def shards(self) -> list[int]:
        """See `EventLog.shards`."""
        self._check_open()
        return sorted(self._heads)

    async def save_snapshot(self, snapshot: Snapshot) -> None:
        """See `EventLog.save_snapshot`."""
        self._check_open()
        kept = replace(snapshot, occurred_at=_to_microsecond(snapshot.occurred_at))
        self._snapshots.setdefault(snapshot.stream, {}).setdefault(snapshot.version, kept)

    async def latest_snapshot(
        self, stream: str, *, at_or_before: Instant | None = None
    ) -> Snapshot | None:
        """See `EventLog.latest_snapshot`."""
        self._check_open()
        snapshots = self._snapshots.get(stream, {})
        for version in sorted(snapshots, reverse=True):
            if at_or_before is None or snapshots[version].occurred_at <= at_or_before:
                return snapshots[version]
        return None

    async def load_checkpoint(self, reader: str, build: str, shard: int) -> Checkpoint:
        """See `EventLog.load_checkpoint`."""
        self._check_open()
        return self._checkpoints.get((reader, build, shard), Checkpoint(reader, build, shard, -1))

    async def save_checkpoint(self, checkpoint: Checkpoint) -> None:
        """See `EventLog.save_checkpoint`."""
        key = (checkpoint.reader, checkpoint.build, checkpoint.shard)
        if checkpoint.position > (await self.load_checkpoint(*key)).position:
            self._checkpoints[key] = checkpoint

    async def bury(self, letter: DeadLetter) -> None:
        """See `EventLog.bury`."""
        self._check_open()
        kept = replace(
            letter,
            body=letter.body[:MAX_BODY_BYTES],
            at=_to_microsecond(letter.at),
            redriven_at=None,
        )
        self._letters.setdefault(letter.id, kept)

    async def dead_letters(self, *, after_id: str = "", limit: int = 100) -> list[DeadLetter]:
        """See `EventLog.dead_letters`."""
        self._check_open()
        waiting = (
            letter
            for id_, letter in sorted(self._letters.items())
            if id_ > after_id and letter.redriven_at is None
        )
        return list(islice(waiting, limit))

    async def mark_redriven(self, letter_id: str, at: Instant) -> None:
        """See `EventLog.mark_redriven`."""
        self._check_open()
        if letter_id in self._letters:
            self._letters[letter_id] = replace(
                self._letters[letter_id], redriven_at=_to_microsecond(at)
            )

    async def close(self) -> None:
        """See `EventLog.close`."""
        self._closed = True

    def _check_open(self) -> None:
        if self._closed:
            raise Defect("the log was closed", todo="close it last")


def _record(event: NewEvent, *, shard: int, position: int, recorded_at: Instant) -> RecordedEvent:
    return RecordedEvent(
        shard=shard,
        position=position,
        stream=event.stream,
        version=event.version,
        event_id=event.event_id,
        type=event.type,
        schema_version=event.schema_version,
        occurred_at=_to_microsecond(event.occurred_at),
        recorded_at=recorded_at,
        payload=event.payload,
        causation=event.causation,
    )


def _to_microsecond(at: Instant) -> Instant:
    """An instant as a database keeps it."""
    return Instant.from_timestamp(at.timestamp(unit="microsecond"), unit="microsecond")
