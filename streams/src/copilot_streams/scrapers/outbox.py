"""Delivery to Kafka: in order per cluster, bounded in memory, patient with a broker that is away.

Theory of operation. Each cluster has a queue. A round takes the oldest message of every queue and
sends them together; a message leaves its queue when all replicas have it. Since no cluster has more
than one message in flight, a retry can repeat a message but never overtake one, and the reader
recognises a repeated slot. A queue that is full loses its oldest message, counted and logged: the
newest ones say how the cluster is, and the reader turns a missing slot into all-missing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from whenever import Instant

from copilot_core.samples import SAMPLES_TOPIC, LogSample, Sample, encode
from copilot_service import Service
from copilot_streams.scrapers.meters import Meters

log = structlog.get_logger(__name__)

PAUSE_S: Final = 1.0
"""Pause after a failed round; aiokafka itself retries for 15 s before it fails one."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One message on its way."""

    cluster: str
    slot: int
    body: bytes


class Outbox:
    """Messages waiting for Kafka, at most `limit` per cluster."""

    def __init__(
        self,
        producer: AIOKafkaProducer,
        service: Service,
        meters: Meters,
        *,
        limit: int,
        now: Callable[[], Instant] = Instant.now,
    ) -> None:
        self._producer = producer
        self._service = service
        self._meters = meters
        self._limit = limit
        self._now = now
        self._queues: dict[str, deque[Letter]] = {}
        self._filled = asyncio.Event()
        self._answered = True

    def moving(self) -> bool:
        """True when nothing waits, or a round ended since the last call, well or badly."""
        answered, self._answered = self._answered, False
        return answered or not self.waiting()

    def put(self, message: Sample | LogSample) -> None:
        """Take a message; the oldest of its cluster is dropped when there are too many."""
        queue = self._queues.setdefault(message.cluster, deque())
        if len(queue) >= self._limit:
            dropped = queue.popleft()
            self._meters.dropped.labels(message.cluster).inc()
            log.error("sample dropped: Kafka away", cluster=dropped.cluster, slot=dropped.slot)
        queue.append(Letter(message.cluster, message.slot, encode(message)))
        self._meters.buffered.set(self.waiting())
        self._filled.set()

    def waiting(self) -> int:
        """How many messages wait."""
        return sum(map(len, self._queues.values()))

    async def deliver(self) -> None:
        """Send rounds until cancelled."""
        while True:
            await self._filled.wait()
            if not await self.round():
                await asyncio.sleep(PAUSE_S)

    async def drain(self) -> None:
        """Send rounds until nothing waits or one fails; for a clean stop."""
        while self.waiting() and await self.round():
            pass
        if left := self.waiting():
            log.error("stopped with undelivered samples", messages=left)

    async def round(self) -> bool:
        """Send the oldest message of every cluster; False when any could not be delivered."""
        heads = [queue[0] for queue in self._queues.values() if queue]
        outcomes = await asyncio.gather(*(self._send(letter) for letter in heads))
        errors = [error for error in outcomes if error is not None]
        for letter, error in zip(heads, outcomes, strict=True):
            if error is None:
                self._sent(letter)
        self._meters.buffered.set(self.waiting())
        if not self.waiting():
            self._filled.clear()
        self._answered = True
        self._say(errors)
        return not errors

    async def _send(self, letter: Letter) -> KafkaError | None:
        try:
            await self._producer.send_and_wait(
                SAMPLES_TOPIC, letter.body, key=letter.cluster.encode()
            )
        except KafkaError as e:
            return e
        return None

    def _sent(self, letter: Letter) -> None:
        queue = self._queues[letter.cluster]
        if queue and queue[0] is letter:  # a full queue may have dropped it meanwhile
            queue.popleft()
        self._meters.delivered.inc()
        self._meters.lag_seconds.labels(letter.cluster).set(
            self._now().timestamp(unit="millisecond") / 1000 - letter.slot
        )

    def _say(self, errors: list[KafkaError]) -> None:
        for error in errors:
            self._meters.produce_errors.labels(type(error).__name__).inc()
        if errors:
            log.warning(
                "Kafka takes no samples",
                error=f"{type(errors[0]).__name__}: {errors[0]}",
                failed=len(errors),
                waiting=self.waiting(),
            )
        self._service.set_ready(
            "kafka", not errors, why=f"{type(errors[0]).__name__}" if errors else ""
        )
