"""The line on real components, in words an operator would use.

    async with Line.on(kafka, dsn, folder, partitions=2) as line:
        worker = line.start_worker("a")
        await line.send(samples(["emea", "apac"], slots=20))
        worker.kill()
        line.start_worker("a")
        await line.log_holds_everything()

`log_holds_everything` is the judge: what the log has must be, byte for byte, what folding the same
messages in this process gives, in partition order, with nothing of Kafka or a database involved.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from pathlib import Path
from typing import Self

from aiokafka import AIOKafkaProducer
from pydantic import SecretStr

from copilot.embedded.child import tied_to_us
from copilot_core.errors import Unavailable
from copilot_core.events import Digest, NewEvent, RecordedEvent
from copilot_core.fold import ClusterState, fold, initial
from copilot_core.rules import RulePack
from copilot_core.samples import SAMPLES_TOPIC, Input, Sample, encode
from copilot_core.signals import SIGNAL_NAMES
from copilot_eventlog import schema
from copilot_eventlog.postgres import PostgresLog, open_log
from copilot_eventlog.settings import EventLogSettings
from copilot_streams.kafka import KafkaSettings, ensure_topics, partition_of, topics_of_the_line

FIRST_SLOT = 1_780_000_020
"""A multiple of 30 and in the past: never from the future, and far too old for the watchdog's
present; tests that want the watchdog send present slots."""
INTERVAL_S = 30
REPO = Path(__file__).resolve().parents[2]


def sample(cluster: str, slot: int, *, interval_s: int = INTERVAL_S) -> Sample:
    """A sample with readings of its own: never the same for two slots or clusters."""
    dice = random.Random(f"{cluster}/{slot}")
    return Sample(
        cluster=cluster,
        slot=slot,
        interval_s=interval_s,
        source="test",
        readings=tuple(round(dice.random() * 40, 3) for _ in SIGNAL_NAMES),
    )


def samples(clusters: Sequence[str], *, slots: int, after: int = 0) -> list[Sample]:
    """`slots` samples of each cluster from slot number `after` on, slot by slot."""
    return [
        sample(cluster, FIRST_SLOT + (after + n) * INTERVAL_S)
        for n in range(slots)
        for cluster in clusters
    ]


def folded(messages: Iterable[Input]) -> dict[str, list[NewEvent]]:
    """The log that folding messages gives, by stream: the reference for every test here."""
    states: dict[str, ClusterState] = {}
    events: dict[str, list[NewEvent]] = {}
    for message in messages:
        state = states.get(message.cluster) or initial(message.cluster)
        result = fold(state, message, RulePack.default())
        states[message.cluster] = result.state
        for event in result.events:
            events.setdefault(event.stream, []).append(event)
    return events


async def eventually(holds: Callable[[], Awaitable[bool]], *, within_s: float = 60) -> None:
    """Wait until something holds; raises `TimeoutError` when it does not in time."""
    async with asyncio.timeout(within_s):
        for pause_s in repeat(0.05):
            if await holds():
                return
            await asyncio.sleep(pause_s)


class Worker:
    """One worker process under test; its log lines go to a file."""

    def __init__(self, command: Sequence[str], env: dict[str, str], output: Path) -> None:
        self._command = command
        self._env = env
        self.output = output
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start it, or start it again after it ended."""
        with self.output.open("ab") as out:
            self._process = subprocess.Popen(
                tied_to_us(self._command),
                env=self._env,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=REPO,
            )

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The process of its present life."""
        assert self._process is not None
        return self._process

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative when a signal ended it."""
        return self.process.poll()

    def send(self, sign: signal.Signals) -> None:
        """Send a signal, if there is still somebody to get it."""
        if self.exit_code is None:
            self.process.send_signal(sign)

    def kill(self) -> None:
        """`kill -9`, and wait until it is gone."""
        self.send(signal.SIGKILL)
        self.process.wait(10)

    def stop(self, *, within_s: float = 20) -> int:
        """SIGTERM; returns the exit code."""
        self.send(signal.SIGTERM)
        return self.process.wait(within_s)

    async def ended(self, *, within_s: float = 60) -> int:
        """Wait until it ends by itself; returns the exit code."""

        async def over() -> bool:
            return self.exit_code is not None

        await eventually(over, within_s=within_s)
        assert self.exit_code is not None
        return self.exit_code

    async def says(self, text: str, *, times: int = 1, within_s: float = 60) -> None:
        """Wait until its output contains a text, that many times."""

        async def said() -> bool:
            return self.said().count(text) >= times

        try:
            await eventually(said, within_s=within_s)
        except TimeoutError:
            raise AssertionError(f"never said {text!r}:\n{self.said()[-3000:]}") from None

    def said(self) -> str:
        """Everything it wrote."""
        return self.output.read_text(errors="replace")


@dataclass
class Line:
    """Kafka, a database, the workers of a test, and every message that was sent."""

    kafka: KafkaSettings
    log_settings: EventLogSettings
    log: PostgresLog
    producer: AIOKafkaProducer
    partitions: int
    folder: Path
    workers: list[Worker] = field(default_factory=list)
    sent: list[Input] = field(default_factory=list)

    @classmethod
    @contextlib.asynccontextmanager
    async def on(
        cls, kafka: KafkaSettings, dsn: str, folder: Path, *, partitions: int = 2
    ) -> AsyncGenerator[Self]:
        """Make topics and schema, and clean up workers at the end."""
        log_settings = EventLogSettings(log_dsn=SecretStr(dsn))
        await ensure_topics(kafka, topics_of_the_line(partitions))
        log = await open_log(log_settings)
        await schema.apply(log.pool, log_settings.dialect)
        producer = AIOKafkaProducer(
            bootstrap_servers=kafka.kafka_bootstrap, enable_idempotence=kafka.kafka_idempotent
        )
        await producer.start()
        line = cls(kafka, log_settings, log, producer, partitions, folder)
        try:
            yield line
        finally:
            for worker in line.workers:
                worker.kill()
            await producer.stop()
            await log.close()

    def start_worker(
        self,
        name: str = "a",
        *,
        module: str = "copilot_streams.worker.main",
        args: Sequence[str] = (),
        **env: object,
    ) -> Worker:
        """A worker process with `name` as its static id; `env` are settings without the prefix."""
        settings = {
            "kafka_bootstrap": self.kafka.kafka_bootstrap,
            "kafka_incarnation": self.kafka.kafka_incarnation,
            "kafka_idempotent": self.kafka.kafka_idempotent,
            "log_dsn": self.log_settings.log_dsn.get_secret_value(),
            "worker_id": name,
            "worker_snapshot_every": 20,
            "watchdog_lateness_s": 1_000_000_000,
            **env,
        }
        worker = Worker(
            [sys.executable, "-m", module, *args],
            os.environ | {f"COPILOT_{k.upper()}": str(v) for k, v in settings.items()},
            self.folder / f"worker-{name}.log",
        )
        self.workers.append(worker)
        return worker

    async def send(self, messages: Iterable[Input]) -> None:
        """Put messages on the samples topic in this order."""
        for message in messages:
            await self.producer.send_and_wait(
                SAMPLES_TOPIC, encode(message), key=message.cluster.encode()
            )
            self.sent.append(message)

    async def send_raw(self, value: bytes | None, *, key: bytes | None) -> None:
        """Put anything on the samples topic."""
        await self.producer.send_and_wait(SAMPLES_TOPIC, value, key=key)

    async def recorded(self) -> dict[str, list[RecordedEvent]]:
        """What the log holds, by stream, in order of version."""
        events: dict[str, list[RecordedEvent]] = {}
        for shard in range(self.partitions):
            after = -1
            while page := await self.log.read(shard, after=after, limit=1000):
                for event in page:
                    events.setdefault(event.stream, []).append(event)
                after = page[-1].position
        return events

    async def log_holds_everything(self, *, within_s: float = 90) -> None:
        """Wait until every sent message is in the log; then compare with the in-process fold."""
        expected = folded(self.sent)
        count = sum(map(len, expected.values()))
        deadline = time.monotonic() + within_s
        while True:
            with contextlib.suppress(Unavailable):
                recorded = await self.recorded()
                if sum(map(len, recorded.values())) >= count or time.monotonic() > deadline:
                    break
            await asyncio.sleep(0.2)
        assert_same_log(recorded, expected)

    async def offsets(self) -> dict[int, int]:
        """The source offset of each shard's head."""
        heads = {shard: await self.log.head(shard) for shard in range(self.partitions)}
        return {shard: head.source_offset for shard, head in heads.items() if head}

    async def owners(self) -> set[str]:
        """The workers that write to the shards now."""
        heads = [await self.log.head(shard) for shard in range(self.partitions)]
        return {head.writer for head in heads if head}

    def shard_of(self, cluster: str) -> int:
        """The partition and shard that a cluster belongs to."""
        return partition_of(cluster, self.partitions)


def assert_same_log(
    recorded: dict[str, list[RecordedEvent]], expected: dict[str, list[NewEvent]]
) -> None:
    """Same streams, same versions, same bytes, same digest."""
    assert recorded.keys() == expected.keys()
    for stream in expected:
        theirs = [(e.version, e.type, e.payload, e.event_id) for e in recorded[stream]]
        ours = [(e.version, e.type, e.payload, e.event_id) for e in expected[stream]]
        assert theirs == ours, f"{stream} differs"
    assert digest_of(recorded) == digest_of(expected)


def digest_of(events: dict[str, list[RecordedEvent]] | dict[str, list[NewEvent]]) -> str:
    """The digest over all streams."""
    digest = Digest()
    for stream in events.values():
        digest.add_all(stream)
    return digest.hexdigest()
