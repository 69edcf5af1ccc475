"""The health agent: owns shards while Kafka assigns their partitions, and writes what arrives.

Theory of operation. Three things meet here, and the log decides between them:

    own    runs in `on_rebalance_complete`, the only hook that is awaited before messages flow:
           takes over the shard of every assigned partition and loads its states
    agent  hands delivered messages to a queue; nothing is decided in it
    pump   writes what is in the queue, one append per shard at a time; while one is on its way the
           next batch gathers, so a lone message waits for nobody and a flood is batched

A message of an older assignment is dropped by its generation, one that the log has by its offset.
An append that loses its shard is dropped as well: the new owner seeks to what the log has. A worker
that was fenced without a rebalance has a rival that Kafka knows nothing of, and ends.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Protocol

import stamina
import structlog
from faust.types import EventT
from mode.supervisors import CrashingSupervisor

from copilot_core.errors import Defect, Fenced, Unavailable
from copilot_core.samples import SAMPLES_TOPIC
from copilot_streams.agents.consumer import LogApp
from copilot_streams.incarnation import TopicLife
from copilot_streams.kafka import partition_of
from copilot_streams.worker.metrics import WorkerMetrics
from copilot_streams.worker.shard import Message, Parts, ShardWriter

MAX_WAITING: Final = 5_000
"""Messages in the queue; beyond that Faust's own buffers fill and its consumer pauses."""
MAX_TOGETHER: Final = 1_000
"""Messages taken from the queue at once; the writers cut them into appends."""

log_ = structlog.get_logger(__name__)


class Host(Protocol):
    """What the agent needs of the process it runs in; `copilot_service.Service` is one."""

    def progress(self) -> None:
        """Something moved."""
        ...

    def set_ready(self, condition: str, holds: bool, *, why: str = "") -> None:
        """A condition of readiness holds or not."""
        ...


class Lost(Protocol):
    """Told of messages that were gone before they could be read."""

    async def __call__(
        self, *, source: str, topic: str, partition: int, first: int, last: int
    ) -> None:
        """See `DeadLetters.lost`."""
        ...


class HealthAgent:
    """Writers by partition, and what feeds them.

    `known` gives the clusters that should exist; `patience_s` is how long an append is tried again
    while the log is away, before the process ends.
    """

    def __init__(
        self,
        parts: Parts,
        life: TopicLife,
        host: Host,
        metrics: WorkerMetrics,
        *,
        lost: Lost,
        known: Callable[[], Iterable[str]],
        patience_s: float,
    ) -> None:
        self._parts = parts
        self._life = life
        self._host = host
        self._metrics = metrics
        self._lost = lost
        self._known = known
        self._patience_s = patience_s
        self._queue: asyncio.Queue[EventT] = asyncio.Queue(MAX_WAITING)
        self._writing = 0
        self.writers: dict[int, ShardWriter] = {}
        self.generation: int | None = None
        self.fenced_since: dict[int, float] = {}

    def attach(self, app: LogApp) -> None:
        """Register the hook and the agent with an app that has not started."""

        async def own(app_: LogApp, *_: object, **__: object) -> None:
            await self.own(app_)

        async def health(stream: Any) -> None:  # Faust annotates `noack` and `events` wrongly
            async for event in stream.noack().events():
                await self._queue.put(event)

        app.on_rebalance_complete.connect(own, weak=False)
        topic = app.topic(SAMPLES_TOPIC, key_serializer="raw", value_serializer="raw")
        app.agent(topic, name="health", supervisor_strategy=CrashingSupervisor)(health)

    def wanted(self) -> Mapping[int, int]:
        """Where to go on, by partition: one after the offset in each head."""
        return {shard: writer.expected for shard, writer in self.writers.items()}

    def idle(self) -> bool:
        """True when nothing that was delivered waits to be written."""
        return self._queue.empty() and not self._writing

    # --- owning ---------------------------------------------------------------------------------

    async def own(self, app: LogApp) -> None:
        """Take over the shards of all assigned partitions, afresh after every rebalance."""
        self.writers = {}
        self._host.set_ready("shards", False, why="rebalancing")
        generation = app.consumer_generation_id
        tps = sorted(tp for tp in app.consumer.assignment() if tp.topic == SAMPLES_TOPIC)
        if tps:
            starts = await app.consumer.earliest_offsets(*tps)
            ends = await app.consumer.highwaters(*tps)
            taken = await asyncio.gather(
                *(self._take(tp.partition, start=starts[tp], end=ends[tp]) for tp in tps)
            )
            self.writers = {writer.shard: writer for writer in taken}
        self.generation = generation
        self.fenced_since.clear()
        self._metrics.owned(self.writers)
        self._host.set_ready("shards", True)
        self._host.progress()
        log_.info("shards taken over", shards=sorted(self.writers), generation=generation)

    async def _take(self, shard: int, *, start: int, end: int) -> ShardWriter:
        mine = [c for c in self._known() if partition_of(c, self._life.partitions) == shard]
        writer = await ShardWriter.take_over(self._parts, shard, clusters=mine)
        if self._life.trust_end_offsets and end < writer.expected:
            raise Defect(
                f"the topic ends at offset {end}, but the log has it to {writer.expected - 1}: "
                "the broker lost messages",
                where=f"{self._life.source}, partition {shard}",
                todo="name the new life of the topic in COPILOT_KAFKA_INCARNATION to read it from "
                "its beginning; samples that the log has are taken as duplicates",
            )
        if start > writer.expected:
            await self._skip(writer, start)
        return writer

    async def _skip(self, writer: ShardWriter, start: int) -> None:
        """Go on behind messages that retention deleted; those we should have read are a loss."""
        if writer.head.source_offset >= 0:
            log_.error(
                "messages lost by retention",
                shard=writer.shard,
                first=writer.expected,
                last=start - 1,
            )
            self._metrics.lost_messages.inc(start - writer.expected)
            await self._lost(
                source=self._life.source,
                topic=SAMPLES_TOPIC,
                partition=writer.shard,
                first=writer.expected,
                last=start - 1,
            )
        await writer.begin_at(start)

    # --- writing --------------------------------------------------------------------------------

    async def pump(self) -> None:
        """Write what is delivered, for ever; an error that is not somebody else's ends it."""
        while True:
            events = [await self._queue.get()]
            while len(events) < MAX_TOGETHER and not self._queue.empty():
                events.append(self._queue.get_nowait())
            by_partition: dict[int, list[EventT]] = {}
            for event in events:
                by_partition.setdefault(event.message.partition, []).append(event)
            self._writing = len(events)
            await asyncio.gather(*(self._write(p, e) for p, e in sorted(by_partition.items())))
            self._writing = 0

    async def _write(self, partition: int, events: list[EventT]) -> None:
        """Write the events of one partition, as long as this assignment lasts."""
        writer = self.writers.get(partition)
        current = [e for e in events if e.message.generation_id == self.generation]
        if writer is None or not current:
            return
        messages = [_message(event) for event in current]
        try:
            await self._patiently(writer, messages)
        except Fenced as e:
            self._fenced(writer, e)
            return
        for event in current:
            event.ack()

    async def _patiently(self, writer: ShardWriter, messages: list[Message]) -> None:
        """Write, and again while the log is away, until it is back or the patience is spent."""
        async for attempt in stamina.retry_context(
            on=Unavailable, attempts=None, timeout=self._patience_s, wait_initial=0.2, wait_max=2.0
        ):
            with attempt:
                if self.writers.get(writer.shard) is not writer:
                    return
                try:
                    written = await writer.write(messages)
                except Unavailable as e:
                    self._host.set_ready("log", False, why=e.what)
                    raise
        self._host.set_ready("log", True)
        self._host.progress()
        self._metrics.written(writer, written, now_ms=time.time_ns() // 1_000_000)

    def _fenced(self, writer: ShardWriter, error: Fenced) -> None:
        """Stop writing to a shard. Normal while a rebalance is on its way."""
        if self.writers.get(writer.shard) is not writer:
            return
        log_.warning("fenced", shard=writer.shard, what=error.what)
        self._metrics.fenced.inc()
        del self.writers[writer.shard]
        self.fenced_since[writer.shard] = time.monotonic()

    def check_rivals(self, *, after_s: float) -> None:
        """Raise `Fenced` when a shard was lost `after_s` seconds ago and no rebalance followed."""
        for shard, since in self.fenced_since.items():
            if time.monotonic() - since > after_s:
                raise Fenced(
                    "another worker writes to this shard, although Kafka assigns it to this one",
                    where=f"shard {shard}",
                    todo="put all workers of a log into one group (COPILOT_WORKER_GROUP)",
                )


def _message(event: EventT) -> Message:
    message = event.message
    return Message(message.offset, message.key, message.value, int((message.timestamp or 0) * 1000))
