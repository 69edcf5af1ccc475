"""Streams that several shards hold are published in order, however the shards are read."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from copilot_core.events import RecordedEvent, SampleDropped, new_event
from copilot_eventlog.memory import MemoryLog
from copilot_eventlog.protocol import DIRECT_SHARDS
from copilot_streams.relay.order import StreamOrder

SHARDS = (DIRECT_SHARDS + 1, DIRECT_SHARDS + 2, DIRECT_SHARDS + 3)
CLUSTERS = ("a", "b", "c")


async def written(log: MemoryLog, script: list[tuple[int, str]]) -> None:
    """Events of a few streams, each to a shard of its own choice, as their writers append them."""
    versions: Counter[str] = Counter()
    for shard, cluster in script:
        versions[cluster] += 1
        event = SampleDropped(slot=0, source="test", reason="a test")
        head = await log.take_over(shard, writer="test", source="test")
        new = new_event(event, cluster=cluster, version=versions[cluster])
        await log.append(head, [new], source_offset=-1)


class Relay:
    """The relay without Kafka: what it would have published, and how far it is in each shard."""

    def __init__(self, log: MemoryLog) -> None:
        self.log = log
        self.order = StreamOrder(log)
        self.positions = dict.fromkeys(SHARDS, -1)
        self.published: list[RecordedEvent] = []

    async def step(self, shard: int, *, page: int) -> None:
        """One page of a shard, as much of it as may go."""
        read = await self.log.read(shard, after=self.positions[shard], limit=page)
        ready = await self.order.ready(read, self.positions)
        self.published += ready
        self.order.published(ready)
        if ready:
            self.positions[shard] = ready[-1].position

    def restarted(self) -> None:
        """A new process: it knows the checkpoints and nothing else."""
        self.order = StreamOrder(self.log)


@given(
    script=st.lists(
        st.tuples(st.sampled_from(SHARDS), st.sampled_from(CLUSTERS)), min_size=1, max_size=40
    ),
    steps=st.lists(
        st.tuples(st.sampled_from(SHARDS), st.integers(1, 9), st.booleans()), max_size=30
    ),
)
async def test_every_event_goes_once_behind_its_predecessor(
    script: list[tuple[int, str]], steps: list[tuple[int, int, bool]]
) -> None:
    """Whichever shard comes first, in pages of any size, with restarts in between: each stream is
    published in order and whole, and nothing waits for ever."""
    log = MemoryLog()
    await written(log, script)
    relay = Relay(log)
    for shard, page, restart in steps:
        await relay.step(shard, page=page)
        if restart:
            relay.restarted()
    for _ in script:  # each round publishes the oldest event at least
        for shard in SHARDS:
            await relay.step(shard, page=500)
    seen: dict[str, list[int]] = {}
    for event in relay.published:
        seen.setdefault(event.stream, []).append(event.version)
    told = Counter(f"health/{cluster}" for _, cluster in script)
    assert seen == {stream: list(range(1, n + 1)) for stream, n in told.items()}


async def test_shards_of_partitions_are_left_alone() -> None:
    """Their streams lie in one shard: nothing is looked up, whatever the versions."""

    class Unread(MemoryLog):
        async def read_stream(
            self, stream: str, *, after: int = 0, limit: int = 1000, newest_first: bool = False
        ) -> list[RecordedEvent]:
            raise AssertionError(stream)

    log = Unread()
    head = await log.take_over(3, writer="test", source="test")
    event = SampleDropped(slot=0, source="test", reason="a test")
    await log.append(
        head, [new_event(event, cluster="a", version=n) for n in (1, 2)], source_offset=0
    )
    page = (await log.read(3))[1:]
    assert await StreamOrder(log).ready(page, {}) == page


async def test_a_version_that_the_log_lacks_is_not_waited_for() -> None:
    """A gap is for `copilot log verify` to tell; the relay goes on."""
    log = MemoryLog()
    event = new_event(SampleDropped(slot=0, source="test", reason="a test"), cluster="a", version=5)
    head = await log.take_over(SHARDS[0], writer="test", source="test")
    await log.append(head, [event], source_offset=-1)
    page = await log.read(SHARDS[0])
    assert await StreamOrder(log).ready(page, dict.fromkeys(SHARDS, -1)) == page
