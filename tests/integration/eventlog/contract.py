"""What every implementation of the log promises; one class, run against each of them.

A test class derives from `LogContract` and from a class of `logs.py`, which gives the fixtures
`log` and `rival`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import pytest
from whenever import Instant

from copilot_core.errors import Conflict, Defect, Fenced, Unavailable
from copilot_core.events import Causation, NewEvent, RecordedEvent, event_id
from copilot_eventlog.batch import MAX_BODY_BYTES, MAX_ROWS
from copilot_eventlog.protocol import Checkpoint, DeadLetter, EventLog, Snapshot

SOURCE = "copilot.samples.v1@AAAA"
T0 = Instant.from_utc(2026, 3, 1, 3, 0)


def event(version: int, *, stream: str = "health/a", payload: bytes = b'{"n":1}') -> NewEvent:
    """The n-th event of a stream, decided from the message with the offset n."""
    return NewEvent(
        stream=stream,
        version=version,
        type="SampleRecorded",
        schema_version=1,
        occurred_at=T0.add(seconds=30 * version),
        payload=payload,
        causation=Causation("copilot.samples.v1", 3, version),
    )


def events(first: int, last: int, *, stream: str = "health/a") -> list[NewEvent]:
    """Events of a stream from version `first` to `last`."""
    return [event(n, stream=stream, payload=b'{"n":%d}' % n) for n in range(first, last + 1)]


def as_new(recorded: Sequence[RecordedEvent]) -> list[NewEvent]:
    """What was appended, without what the log added."""
    return [
        NewEvent(
            e.stream, e.version, e.type, e.schema_version, e.occurred_at, e.payload, e.causation
        )
        for e in recorded
    ]


class LogContract:
    """The laws of `EventLog`, one fact a test."""

    async def test_a_shard_never_written_has_no_head(self, log: EventLog) -> None:
        """A shard nobody took over has no head, is not listed, and holds no events."""
        assert await log.head(7) is None
        assert await log.shards() == []
        assert await log.read(7) == []
        assert await log.read_stream("health/nobody") == []

    async def test_the_first_take_over_starts_at_zero(self, log: EventLog) -> None:
        """The first writer gets epoch 1, position 0, offset -1 and an empty carry."""
        head = await log.take_over(3, writer="w1", source=SOURCE)
        assert (head.shard, head.next_position, head.source_offset, head.carry) == (3, 0, -1, b"")
        assert (head.writer, head.source) == ("w1", SOURCE)
        assert head.epoch >= 1
        assert await log.head(3) == head
        assert await log.shards() == [3]

    async def test_take_over_hands_the_shard_on(self, log: EventLog) -> None:
        """The next writer gets a higher epoch, and position, offset and carry as they were left."""
        first = await log.take_over(0, writer="w1", source=SOURCE)
        left = await log.append(first, events(1, 3), source_offset=41, carry=b"held")
        second = await log.take_over(0, writer="w2", source=SOURCE)
        assert second.epoch > first.epoch
        assert second == replace(left, epoch=second.epoch, writer="w2")

    async def test_another_source_counts_offsets_anew(self, log: EventLog) -> None:
        """A new incarnation of the topic starts at offset -1 without a carry; positions go on."""
        head = await log.take_over(0, writer="w1", source=SOURCE)
        await log.append(head, events(1, 2), source_offset=9, carry=b"held")
        anew = await log.take_over(0, writer="w1", source="copilot.samples.v1@BBBB")
        assert (anew.source_offset, anew.carry, anew.next_position) == (-1, b"", 2)
        assert anew.source == "copilot.samples.v1@BBBB"

    async def test_an_append_is_read_back_unchanged(self, log: EventLog) -> None:
        """Events come back in order with dense positions, their derived ids, and equal bytes."""
        head = await log.take_over(2, writer="w", source=SOURCE)
        batch = [*events(1, 3), *events(1, 2, stream="logs/a")]
        moved = await log.append(head, batch, source_offset=17, carry=b"\x00\xff")
        assert moved == replace(head, next_position=5, source_offset=17, carry=b"\x00\xff")
        assert await log.head(2) == moved
        recorded = await log.read(2)
        assert as_new(recorded) == batch
        assert [e.position for e in recorded] == [0, 1, 2, 3, 4]
        assert {e.shard for e in recorded} == {2}
        assert [e.event_id for e in recorded] == [event_id(e.stream, e.version) for e in batch]

    @pytest.mark.parametrize(
        "payload",
        [
            b"{}",
            '{"text":"äöü \U0001f525 \u2028"}'.encode(),
            b'{"nul":"\\u0000","big":123456789012345678901234567890,"small":1e-400}',
            b'{"b":1,"a":1,"a":2}',
            b'{"pad":"' + b"x" * 70_000 + b'"}',
        ],
    )
    async def test_payload_bytes_survive(self, log: EventLog, payload: bytes) -> None:
        """A payload comes back byte for byte: no key is moved, no number read, nothing dropped."""
        head = await log.take_over(0, writer="w", source=SOURCE)
        await log.append(head, [event(1, payload=payload)], source_offset=0)
        assert (await log.read(0))[0].payload == payload

    async def test_an_event_without_a_message(self, log: EventLog) -> None:
        """An event that no message caused comes back without a causation."""
        head = await log.take_over(0, writer="w", source=SOURCE)
        await log.append(head, [replace(event(1), causation=None)], source_offset=0)
        assert (await log.read(0))[0].causation is None

    async def test_an_instant_survives_to_the_microsecond(self, log: EventLog) -> None:
        """Event time comes back to the microsecond, at the ends of what a slot may be too."""
        head = await log.take_over(0, writer="w", source=SOURCE)
        at = [
            Instant.from_timestamp(second * 1_000_000 + us, unit="microsecond")
            for second in (946_684_800, 1_772_334_000, 1_790_000_001, 4_102_444_799)
            for us in (0, 1, 2, 333_333, 499_999, 500_000, 999_998, 999_999)
        ]
        batch = [replace(event(n), occurred_at=moment) for n, moment in enumerate(at, start=1)]
        await log.append(head, batch, source_offset=1)
        assert [e.occurred_at for e in await log.read(0)] == at

    async def test_an_append_without_events(self, log: EventLog) -> None:
        """An append without events moves the offset and the carry, and nothing else."""
        head = await log.take_over(0, writer="w", source=SOURCE)
        moved = await log.append(head, [], source_offset=5, carry=b"later")
        assert moved == replace(head, source_offset=5, carry=b"later")
        assert await log.head(0) == moved
        assert await log.read(0) == []

    @pytest.mark.parametrize("batch", [[], events(1, 1)], ids=["empty", "one"])
    async def test_the_former_writer_is_fenced(
        self, log: EventLog, rival: EventLog, batch: list[NewEvent]
    ) -> None:
        """After a take-over the former writer's append raises Fenced and leaves no trace."""
        old = await log.take_over(0, writer="w1", source=SOURCE)
        new = await rival.take_over(0, writer="w2", source=SOURCE)
        with pytest.raises(Fenced, match="w2"):
            await log.append(old, batch, source_offset=1)
        assert await log.head(0) == new
        assert await log.read(0) == []

    async def test_the_same_append_twice_is_made_once(self, log: EventLog) -> None:
        """A writer that repeats an append whose answer was lost gets the same head again."""
        head = await log.take_over(0, writer="w", source=SOURCE)
        moved = await log.append(head, events(1, 4), source_offset=8, carry=b"c")
        assert await log.append(head, events(1, 4), source_offset=8, carry=b"c") == moved
        assert len(await log.read(0)) == 4

    async def test_an_old_head_cannot_be_used_for_other_events(self, log: EventLog) -> None:
        """Other events behind a position that is taken are a defect, and change nothing."""
        head = await log.take_over(0, writer="w", source=SOURCE)
        moved = await log.append(head, events(1, 2), source_offset=2)
        with pytest.raises(Defect):
            await log.append(head, events(3, 4), source_offset=4)
        with pytest.raises(Defect):
            await log.append(head, events(1, 1), source_offset=4)
        assert await log.head(0) == moved
        assert as_new(await log.read(0)) == events(1, 2)

    async def test_a_version_happens_once(self, log: EventLog) -> None:
        """A version that the stream has already is a Conflict, and the whole batch is undone."""
        head = await log.take_over(0, writer="w", source=SOURCE)
        moved = await log.append(head, events(1, 2), source_offset=2)
        with pytest.raises(Conflict) as caught:
            await log.append(moved, [event(1, stream="logs/a"), event(2)], source_offset=3)
        assert not isinstance(caught.value, Fenced)
        assert await log.head(0) == moved
        assert await log.read_stream("logs/a") == []

    async def test_an_append_needs_a_head(self, log: EventLog) -> None:
        """An append to a shard that nobody took over is a defect."""
        head = await log.take_over(0, writer="w", source=SOURCE)
        with pytest.raises(Defect, match="take it over first"):
            await log.append(replace(head, shard=1), events(1, 1), source_offset=1)

    async def test_the_largest_batch(self, log: EventLog) -> None:
        """A batch that fills a transaction to its last row is appended; one more is refused."""
        head = await log.take_over(0, writer="w", source=SOURCE)
        with pytest.raises(Defect, match="smaller batches"):
            await log.append(head, events(1, MAX_ROWS), source_offset=1)
        moved = await log.append(head, events(1, MAX_ROWS - 1), source_offset=1)
        assert moved.next_position == MAX_ROWS - 1

    async def test_more_bytes_than_a_transaction_takes(self, log: EventLog) -> None:
        """A batch above 10 MiB is refused before it is sent, with the reason."""
        head = await log.take_over(0, writer="w", source=SOURCE)
        batch = [event(n, payload=b'"%s"' % (b"x" * 1_000_000)) for n in range(1, 12)]
        with pytest.raises(Defect, match="smaller batches"):
            await log.append(head, batch, source_offset=1)
        assert await log.head(0) == head

    @pytest.mark.parametrize("versions", [(1, 3), (1, 1), (2, 1), (0,)])
    async def test_versions_are_dense_within_a_batch(
        self, log: EventLog, versions: tuple[int, ...]
    ) -> None:
        """A batch in which a stream skips, repeats or starts below version 1 is a defect."""
        head = await log.take_over(0, writer="w", source=SOURCE)
        with pytest.raises(Defect):
            await log.append(head, [event(n) for n in versions], source_offset=1)
        assert await log.read(0) == []

    async def test_reading_by_pages(self, log: EventLog) -> None:
        """Pages of a shard follow each other by position without gap or overlap."""
        head = await log.take_over(0, writer="w", source=SOURCE)
        await log.append(head, events(1, 7), source_offset=7)
        pages = [await log.read(0, after=after, limit=3) for after in (-1, 2, 5, 6)]
        assert [[e.position for e in page] for page in pages] == [[0, 1, 2], [3, 4, 5], [6], []]

    async def test_reading_a_stream(self, log: EventLog) -> None:
        """A stream is read by version, from either end, and holds nobody else's events."""
        head = await log.take_over(0, writer="w", source=SOURCE)
        mixed = [e for n in range(1, 6) for e in (event(n), event(n, stream="health/b"))]
        await log.append(head, mixed, source_offset=7)
        forward = await log.read_stream("health/b", after=2, limit=2)
        assert [(e.stream, e.version) for e in forward] == [("health/b", 3), ("health/b", 4)]
        newest = await log.read_stream("health/b", after=2, limit=2, newest_first=True)
        assert [e.version for e in newest] == [5, 4]
        assert await log.read_stream("health/b", after=5) == []

    async def test_a_stream_may_move_to_another_shard(self, log: EventLog) -> None:
        """A stream that goes on in another shard is read as one, in order of version."""
        here = await log.take_over(5, writer="w", source=SOURCE)
        there = await log.take_over(1, writer="w", source=SOURCE)
        await log.append(here, events(1, 2), source_offset=1)
        await log.append(there, events(3, 4), source_offset=1)
        recorded = await log.read_stream("health/a")
        assert [(e.version, e.shard) for e in recorded] == [(1, 5), (2, 5), (3, 1), (4, 1)]
        assert await log.shards() == [1, 5]

    async def test_snapshots(self, log: EventLog) -> None:
        """The newest snapshot is found, also as of an instant; the first of a version stays."""
        assert await log.latest_snapshot("health/a") is None
        kept = [Snapshot("health/a", n, T0.add(minutes=n), b"state %d" % n) for n in (10, 20, 30)]
        for snapshot in kept:
            await log.save_snapshot(snapshot)
        await log.save_snapshot(replace(kept[2], payload=b"another"))
        await log.save_snapshot(Snapshot("health/b", 99, T0, b"b"))
        assert await log.latest_snapshot("health/a") == kept[2]
        as_of = await log.latest_snapshot("health/a", at_or_before=T0.add(minutes=20))
        assert as_of == kept[1]
        assert await log.latest_snapshot("health/a", at_or_before=T0) is None

    async def test_checkpoints_only_go_forward(self, log: EventLog) -> None:
        """A checkpoint starts at -1, moves forward, never back, for each reader and build alone."""
        assert (await log.load_checkpoint("relay", "1", 0)).position == -1
        for position in (4, 9, 7):
            await log.save_checkpoint(Checkpoint("relay", "1", 0, position))
        assert await log.load_checkpoint("relay", "1", 0) == Checkpoint("relay", "1", 0, 9)
        for reader, build, shard in (("relay", "2", 0), ("relay", "1", 1), ("view", "1", 0)):
            assert (await log.load_checkpoint(reader, build, shard)).position == -1

    async def test_dead_letters(self, log: EventLog) -> None:
        """Letters are kept once, cut to 64 kB, paged by id, and off the list when redriven."""
        letters = [
            DeadLetter(f"id-{n}", f"copilot.samples.v1/3@{n}", "not_json", "why", b"\xff", T0)
            for n in range(5)
        ]
        for letter in reversed(letters):
            await log.bury(letter)
        await log.bury(replace(letters[0], reason="another"))
        assert await log.dead_letters(limit=2) == letters[:2]
        assert await log.dead_letters(after_id="id-1", limit=2) == letters[2:4]
        await log.mark_redriven("id-1", T0.add(hours=1))
        assert await log.dead_letters() == [letters[0], *letters[2:]]
        await log.bury(replace(letters[0], id="id-9", body=b"x" * 100_000))
        assert len((await log.dead_letters(after_id="id-8"))[0].body) == MAX_BODY_BYTES

    async def test_two_writers_race(self, log: EventLog, rival: EventLog) -> None:
        """Writers that keep taking a shard from each other never double, lose or reorder an event.

        Each appends the stream's next version after reading it, as a worker does that loads its
        state. Every append that was answered is in the log, once; one that was not may be there
        only because its answer was lost.
        """
        told: list[int] = []

        async def write(door: EventLog, name: str) -> None:
            for _ in range(12):
                with suppress(Conflict, Unavailable):  # as a worker that starts over
                    head = await door.take_over(0, writer=name, source=SOURCE)
                    for _ in range(3):
                        last = await door.read_stream("health/a", limit=1, newest_first=True)
                        version = last[0].version + 1 if last else 1
                        head = await door.append(head, [event(version)], source_offset=version)
                        told.append(version)
                        await asyncio.sleep(0)

        await asyncio.gather(write(log, "w1"), write(rival, "w2"))
        recorded = await log.read(0)
        assert [e.position for e in recorded] == list(range(len(recorded)))
        assert [e.version for e in recorded] == list(range(1, len(recorded) + 1))
        assert told
        assert len(set(told)) == len(told)
        assert set(told) <= {e.version for e in recorded}

    async def test_a_closed_log_says_so(self, log: EventLog) -> None:
        """Using a log after closing it is a defect, not a hang."""
        await log.close()
        with pytest.raises(Defect):
            await log.head(0)
