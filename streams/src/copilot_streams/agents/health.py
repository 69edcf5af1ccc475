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
from collections.abc import Mapping
from typing import Any, Final, Protocol

import stamina
import structlog
from faust.types import EventT
from mode.supervisors import CrashingSupervisor

from copilot_core.errors import Defect, Fenced, Unavailable
from copilot_core.samples import SAMPLES_TOPIC
from copilot_streams.agents.consumer import LogApp
from copilot_streams.incarnation import TopicLife
from copilot_streams.worker.metrics import WorkerMetrics
from copilot_streams.worker.shard import Message, Parts, ShardWriter, Written

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

    `patience_s` is how long an append is tried again while the log is away; then the process ends.
    """

    def __init__(
        self,
        parts: Parts,
        life: TopicLife,
        host: Host,
        metrics: WorkerMetrics,
        *,
        lost: Lost,
        patience_s: float,
    ) -> None:
        self._parts = parts
        self._life = life
        self._host = host
        self._metrics = metrics
        self._lost = lost
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
        taken = await asyncio.gather(
            *(ShardWriter.take_over(self._parts, tp.partition) for tp in tps)
        )
        if tps:
            # Asked for after the take-over: until then the former owner may still move the heads.
            starts = await app.consumer.earliest_offsets(*tps)
            ends = await app.consumer.highwaters(*tps)
            for tp, writer in zip(tps, taken, strict=True):
                self.check_end(writer.shard, end=ends[tp], expected=writer.expected)
                await self._skip(writer, starts[tp])
        self.writers = {writer.shard: writer for writer in taken}
        self.generation = generation
        self.fenced_since.clear()
        self._metrics.owned(self.writers)
        self._host.set_ready("shards", True)
        self._host.progress()
        log_.info("shards taken over", shards=sorted(self.writers), generation=generation)

    def check_end(self, shard: int, *, end: int, expected: int) -> None:
        """Refuse a topic that ends before what the log has of it: a seek beyond the end is silent.

        `expected` must have been read before `end` was asked for.
        """
        if self._life.trust_end_offsets and end < expected:
            raise Defect(
                f"the topic ends at offset {end}, but the log has it to {expected - 1}: "
                "it was made anew, or the broker lost messages",
                where=f"{self._life.source}, partition {shard}",
                todo="a topic made anew is found out by a restart; after a loss name the topic's "
                "new life in COPILOT_KAFKA_INCARNATION: it is read from its beginning, and what "
                "the log has is taken as duplicates",
            )

    async def _skip(self, writer: ShardWriter, start: int) -> None:
        """Go on behind messages that retention deleted; those we should have read are a loss."""
        if start <= writer.expected:
            return
        if writer.head.source_offset >= 0:
            first, last = writer.expected, start - 1
            log_.error("messages lost by retention", shard=writer.shard, first=first, last=last)
            self._metrics.lost_messages.inc(start - first)
            await self._lost(
                source=self._life.source,
                topic=SAMPLES_TOPIC,
                partition=writer.shard,
                first=first,
                last=last,
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
            written = await self._patiently(writer, messages)
        except Fenced as e:
            self._fenced(writer, e)
            return
        if written is None:
            return
        for event in current:
            event.ack()
        self._host.progress()
        self._metrics.written(writer, written, now_ms=time.time_ns() // 1_000_000)

    async def _patiently(
        self, writer: ShardWriter, messages: list[Message]
    ) -> list[Written] | None:
        """Write, and again while the log is away, until it is back or the patience is spent.

        Returns None when the shard was taken from us meanwhile.
        """
        written = None
        async for attempt in stamina.retry_context(
            on=Unavailable, attempts=None, timeout=self._patience_s, wait_initial=0.2, wait_max=2.0
        ):
            with attempt:
                if self.writers.get(writer.shard) is not writer:
                    break
                try:
                    written = await writer.write(messages)
                except Unavailable as e:
                    self._host.set_ready("log", False, why=e.what)
                    raise
                self._host.set_ready("log", True)
        return written

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
