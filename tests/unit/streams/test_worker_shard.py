"""One shard's writer over the in-memory log: each message takes effect once, whatever happens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from whenever import Instant

from copilot_core.errors import Conflict, Defect, Fenced, Unavailable
from copilot_core.events import Digest, NewEvent
from copilot_core.fold import fold, initial
from copilot_core.readings import Missing
from copilot_core.rules import RulePack
from copilot_core.samples import Input, all_missing, encode
from copilot_core.signals import SIGNAL_NAMES
from copilot_eventlog.memory import MemoryLog
from copilot_eventlog.protocol import Head
from copilot_streams.worker import shard as shard_module
from copilot_streams.worker.shard import Message, Parts, Refused, ShardWriter
from tests.unit.streams.shard_inputs import FIRST_SLOT, sample

NOW = Instant.from_timestamp(FIRST_SLOT + 10_000_000)


class Desk:
    """A log, what was refused, and writers over them."""

    def __init__(self, log: MemoryLog | None = None) -> None:
        self.log = log or MemoryLog()
        self.refused: list[Refused] = []

    def parts(self, writer: str = "a", *, source: str = "topic@1", every: int = 5) -> Parts:
        """What a writer works with."""

        async def refuse(refused: Refused) -> None:
            self.refused.append(refused)

        return Parts(
            log=self.log,
            topic="samples",
            source=source,
            writer=writer,
            rules_of=lambda _: RulePack.default(),
            refuse=refuse,
            clock=lambda: NOW,
            snapshot_every=every,
        )

    async def writer(self, name: str = "a", **options: object) -> ShardWriter:
        """Take shard 0 over."""
        return await ShardWriter.take_over(self.parts(name, **options), 0)  # ty: ignore[invalid-argument-type]

    async def digest(self) -> str:
        """The digest of shard 0."""
        digest = Digest()
        digest.add_all(await self.log.read(0, limit=100_000))
        return digest.hexdigest()


def messages(inputs: Sequence[Input], *, first: int = 0) -> list[Message]:
    """Inputs as they stand in a partition from offset `first` on."""
    return [
        Message(offset, message.cluster.encode(), encode(message))
        for offset, message in enumerate(inputs, start=first)
    ]


def digest_of_fold(inputs: Sequence[Input]) -> str:
    """What the log should hold: the fold of the same inputs, without any log."""
    states, digest = {}, Digest()
    for message in inputs:
        state = states.get(message.cluster) or initial(message.cluster)
        folded = fold(state, message, RulePack.default())
        states[message.cluster] = folded.state
        digest.add_all(folded.events)
    return digest.hexdigest()


INPUTS = [sample(c, n) for n in range(30) for c in ("emea", "apac") if (n, c) != (7, "apac")]


async def test_the_log_is_the_fold() -> None:
    """Appends, batches and snapshots change nothing about what is decided."""
    desk = Desk()
    writer = await desk.writer()
    await writer.write(messages(INPUTS))
    assert await desk.digest() == digest_of_fold(INPUTS)


@given(cuts=st.lists(st.integers(0, len(INPUTS)), max_size=6), again=st.integers(0, 20))
async def test_batches_repeats_and_restarts_change_nothing(cuts: list[int], again: int) -> None:
    """Law L2 at the shard: any cut into batches, redelivery and take-over gives the same log."""
    desk = Desk()
    stream = messages(INPUTS)
    for cut in [*sorted(cuts), len(INPUTS)]:
        writer = await desk.writer()
        seen = max(0, writer.expected - again)
        await writer.write(stream[seen:cut])
    assert await desk.digest() == digest_of_fold(INPUTS)


async def test_a_gap_is_a_defect_and_nothing_is_appended() -> None:
    """An offset that skips one is refused before anything of the batch is in the log."""
    desk = Desk()
    writer = await desk.writer()
    stream = messages(INPUTS)
    with pytest.raises(Defect, match="offset 3 after 1"):
        await writer.write([*stream[:2], *stream[3:5]])
    assert await desk.log.read(0) == []


async def test_a_message_twice_in_one_batch_is_taken_once() -> None:
    """After a seek backwards a batch may repeat itself; each offset takes effect once."""
    desk = Desk()
    writer = await desk.writer()
    stream = messages(INPUTS)
    await writer.write([*stream[:10], *stream[4:10], *stream[4:20]])
    await writer.write(stream)
    assert await desk.digest() == digest_of_fold(INPUTS)


async def test_a_bad_message_is_refused_and_its_offset_dealt_with() -> None:
    """A message that does not decode moves the head on without an event, once."""
    desk = Desk()
    writer = await desk.writer()
    stream = messages(INPUTS[:4])
    stream[2] = replace(stream[2], value=b"{")
    stream[3] = replace(stream[3], key=None)
    await writer.write(stream)
    assert [(r.message.offset, r.error.code) for r in desk.refused] == [
        (2, "not_json"),
        (3, "lies_about_cluster"),
    ]
    assert writer.expected == 4
    assert await desk.digest() == digest_of_fold(INPUTS[:2])


async def test_a_batch_of_bad_messages_alone_moves_the_head() -> None:
    """An append without events still records how far the partition was read."""
    desk = Desk()
    writer = await desk.writer()
    await writer.write([Message(0, b"emea", None), Message(1, b"emea", b"[]")])
    assert (await desk.writer()).expected == 2
    assert [r.error.code for r in desk.refused] == ["empty", "not_json"]


async def test_a_former_writer_is_fenced() -> None:
    """After a take-over the former writer cannot append, and keeps its state for nothing."""
    desk = Desk()
    former = await desk.writer("a")
    await former.write(messages(INPUTS)[:3])
    owner = await desk.writer("b")
    with pytest.raises(Fenced):
        await former.write(messages(INPUTS)[3:6])
    await owner.write(messages(INPUTS)[3:])
    assert await desk.digest() == digest_of_fold(INPUTS)


async def test_a_held_sample_is_carried_to_the_next_writer() -> None:
    """What waits for an earlier slot is in no event, but survives the writer."""
    ahead = [sample("emea", 0), sample("emea", 2), sample("emea", 1)]
    desk = Desk()
    await (await desk.writer()).write(messages(ahead)[:2])
    await (await desk.writer()).write(messages(ahead))
    assert await desk.digest() == digest_of_fold(ahead)


async def test_a_held_sample_waits_on_under_a_new_source() -> None:
    """A topic made anew restarts the offsets; the held sample is kept all the same."""
    desk = Desk()
    await (await desk.writer()).write(messages([sample("emea", 0), sample("emea", 2)]))
    anew = await desk.writer(source="topic@2")
    assert anew.expected == 0
    await (await desk.writer(source="topic@2")).write(messages([sample("emea", 1)]))
    whole = [sample("emea", 0), sample("emea", 2), sample("emea", 1)]
    assert await desk.digest() == digest_of_fold(whole)


async def test_recovery_reads_the_snapshot_and_what_came_after() -> None:
    """A writer that starts from a snapshot decides as one that read everything."""
    desk = Desk()
    await (await desk.writer(every=7)).write(messages(INPUTS)[:40])
    assert await desk.log.latest_snapshot("health/emea") is not None
    await (await desk.writer()).write(messages(INPUTS)[40:])
    assert await desk.digest() == digest_of_fold(INPUTS)


async def test_a_snapshot_that_cannot_be_read_is_left_aside() -> None:
    """The log alone gives the state back: a foreign snapshot costs time, not truth."""
    desk = Desk()
    await (await desk.writer(every=10_000)).write(messages(INPUTS)[:40])
    (last,) = await desk.log.read_stream("health/emea", limit=1, newest_first=True)
    foreign = shard_module.states.Snapshot("health/emea", last.version, NOW, b'{"v": 99}')
    await desk.log.save_snapshot(foreign)
    await (await desk.writer()).write(messages(INPUTS)[40:])
    assert await desk.digest() == digest_of_fold(INPUTS)


async def test_an_append_is_bounded() -> None:
    """However many messages wait, no append holds more than its limit and one message's events."""
    desk = Desk()
    writer = await desk.writer(every=10_000)
    clusters = [f"c{n}" for n in range(200)]
    inputs = [sample(c, n) for n in range(4) for c in clusters]
    written = await writer.write(messages(inputs))
    assert len(written) > 1
    assert max(len(w.events) for w in written) <= shard_module.MAX_EVENTS + 20
    assert sum(len(w.messages) for w in written) == len(inputs)


class Unsteady(MemoryLog):
    """The in-memory log behind an unsteady line: the n-th append fails, before or after it is made.

    A fault injector around the twin; every law is still the twin's own.
    """

    def __init__(self, *, fails: int, after: bool, error: Exception) -> None:
        super().__init__()
        self._left, self._after, self._error = fails, after, error

    async def append(
        self, head: Head, events: Sequence[NewEvent], *, source_offset: int, carry: bytes = b""
    ) -> Head:
        self._left -= 1
        if self._left == 0 and not self._after:
            raise self._error
        moved = await super().append(head, events, source_offset=source_offset, carry=carry)
        if self._left == 0:
            raise self._error
        return moved


@pytest.mark.parametrize("after", [False, True])
async def test_writing_again_after_a_failed_append_changes_nothing(*, after: bool) -> None:
    """`Unavailable` before or after the append: the same messages again give the same log."""
    desk = Desk(Unsteady(fails=3, after=after, error=Unavailable("away")))
    writer = await desk.writer()
    for n in range(0, len(INPUTS), 10):
        batch = messages(INPUTS)[n : n + 10]
        try:
            await writer.write(batch)
        except Unavailable:
            await writer.write(batch)
    assert await desk.digest() == digest_of_fold(INPUTS)


async def test_a_conflict_is_decided_again() -> None:
    """Somebody wrote to the stream first: the state is read again and the decision made on it."""
    desk = Desk(Unsteady(fails=2, after=False, error=Conflict("written first")))
    writer = await desk.writer()
    await writer.write(messages(INPUTS)[:30])
    await writer.write(messages(INPUTS)[30:])
    assert await desk.digest() == digest_of_fold(INPUTS)


async def test_a_conflict_with_a_true_rival_ends_in_its_state() -> None:
    """Another shard wrote a slot of the same cluster: here it is a duplicate, no second event."""
    desk = Desk()
    writer = await desk.writer()
    await writer.write(messages(INPUTS[:1]))
    rival = await ShardWriter.take_over(desk.parts("rival"), 1)
    ahead = sample(INPUTS[0].cluster, 1)
    await rival.write(messages([ahead]))
    (written,) = await writer.write(messages([ahead], first=1))
    assert dict(written.outcomes) == {"duplicate": 1}


async def test_all_missing_samples_are_samples() -> None:
    """What the watchdog sends is folded like anything else."""
    silent = all_missing(
        Missing.NO_SAMPLE, cluster="emea", slot=FIRST_SLOT + 30, interval_s=30, source="watchdog"
    )
    desk = Desk()
    await (await desk.writer()).write(messages([sample("emea", 0), silent]))
    assert await desk.digest() == digest_of_fold([sample("emea", 0), silent])
    assert len(silent.readings) == len(SIGNAL_NAMES)
