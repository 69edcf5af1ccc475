"""Rounds of random harm against the running line; at the end the log must be that of the fold.

    python -m tests.chaos.rounds --rounds 50 --seed 7

Two workers with static ids share four partitions while samples keep coming, some twice and some
swapped with their neighbours. Each round does one thing to the line, drawn by the seed: kill -9 or
SIGTERM of a worker, a pause (SIGSTOP, SIGCONT) that may outlast the session timeout, kill -9 of the
broker or of the database. After the rounds the broker and then the database stay away for a minute
(`--outage-s`). A supervisor starts workers that ended, as a real one would. Everything is bounded:
the rounds, the waits, and the time for the log to catch up at the end.

What the log should hold is not what we believe to have sent, but what the topic has: it is read
with a plain consumer and folded in this process.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from copilot_core.errors import Unavailable
from copilot_core.samples import SAMPLES_TOPIC, Input, decode, encode
from copilot_streams.kafka import KafkaSettings
from tests.e2e.line import (
    FIRST_SLOT,
    INTERVAL_S,
    Line,
    Worker,
    assert_same_log,
    digest_of,
    folded,
    sample,
)
from tests.infra.components import kafka_files
from tests.infra.kafka import Kafka
from tests.infra.postgres import Postgres

PARTITIONS = 4
CLUSTERS = tuple(f"cluster-{n}" for n in range(12))
MESSAGES_PER_S = 60
CATCH_UP_S = 180


@dataclass
class Figures:
    """What happened, for people."""

    rounds: int
    seed: int
    outage_s: float
    harm: dict[str, int] = field(default_factory=dict)
    worker_exits: dict[str, int] = field(default_factory=dict)
    messages: int = 0
    events: int = 0
    takeovers: int = 0
    seconds: float = 0.0
    catch_up_s: float = 0.0
    digest: str = ""


def stream_of_messages(dice: random.Random) -> Iterator[Input]:
    """Samples slot by slot for ever; one in ten twice, one in ten after its successor."""
    slot = FIRST_SLOT
    while True:
        for cluster in CLUSTERS:
            now, after = sample(cluster, slot), sample(cluster, slot + INTERVAL_S)
            match dice.randrange(10):
                case 0:
                    yield from (now, now, after)
                case 1:
                    yield from (after, now)
                case _:
                    yield from (now, after)
        slot += 2 * INTERVAL_S


class Chaos:
    """One run: the line, the harm done to it, and what came of it."""

    def __init__(self, line: Line, kafka: Kafka, postgres: Postgres, figures: Figures) -> None:
        self._line = line
        self._kafka = kafka
        self._postgres = postgres
        self._dice = random.Random(figures.seed)
        self._exits: Counter[str] = Counter()
        self._harm: Counter[str] = Counter()
        self._enough = asyncio.Event()
        self.figures = figures

    async def run(self) -> None:
        """Do the harm while messages flow, then let the line catch up and compare."""
        began = time.monotonic()
        self._line.start_worker("a")
        self._line.start_worker("b")
        background = [asyncio.create_task(self._produce()), asyncio.create_task(self._supervise())]
        try:
            for number in range(self.figures.rounds):
                await self._round(number)
            if self.figures.outage_s:
                await self._outages()
            self._enough.set()
            await background[0]
            await self._compare()
        finally:
            background[1].cancel()
        self.figures.seconds = round(time.monotonic() - began, 1)
        self.figures.harm = dict(self._harm)
        self.figures.worker_exits = dict(self._exits)

    async def _produce(self) -> None:
        for message in stream_of_messages(random.Random(self.figures.seed)):
            if self._enough.is_set():
                return
            with suppress(KafkaError):  # the topic decides what was sent
                await self._line.producer.send_and_wait(
                    SAMPLES_TOPIC, encode(message), key=message.cluster.encode()
                )
            await asyncio.sleep(1 / MESSAGES_PER_S)

    async def _supervise(self) -> None:
        """Start every worker that ended again, a moment later."""
        while True:
            await asyncio.sleep(0.5)
            for worker in self._line.workers:
                if worker.exit_code is not None:
                    self._exits[str(worker.exit_code)] += 1
                    worker.start()

    async def _round(self, number: int) -> None:
        harms: dict[str, tuple[int, Callable[[Worker], Awaitable[None]]]] = {
            "kill": (4, self._kill),
            "term": (3, self._term),
            "pause": (3, self._pause),
            "broker": (1, self._restart_broker),
            "database": (1, self._restart_database),
        }
        names = list(harms)
        (name,) = self._dice.choices(names, weights=[harms[n][0] for n in names])
        worker = self._dice.choice(self._line.workers)
        self._harm[name] += 1
        print(f"round {number + 1}: {name} {worker.output.stem}", file=sys.stderr, flush=True)
        await harms[name][1](worker)
        await asyncio.sleep(self._dice.uniform(2, 6))

    async def _kill(self, worker: Worker) -> None:
        worker.send(signal.SIGKILL)

    async def _term(self, worker: Worker) -> None:
        worker.send(signal.SIGTERM)

    async def _pause(self, worker: Worker) -> None:
        worker.send(signal.SIGSTOP)
        await asyncio.sleep(self._dice.uniform(1, 9))  # the session timeout is 6 s
        worker.send(signal.SIGCONT)

    async def _restart_broker(self, _: Worker) -> None:
        await asyncio.to_thread(self._kafka.kill)
        await asyncio.to_thread(self._kafka.start)

    async def _restart_database(self, _: Worker) -> None:
        await asyncio.to_thread(self._postgres.kill)
        await asyncio.to_thread(self._postgres.start)

    async def _outages(self) -> None:
        """The broker, then the database, away for longer than any retry of a single call."""
        for server in (self._kafka, self._postgres):
            print(f"{type(server).__name__} away", file=sys.stderr, flush=True)
            await asyncio.to_thread(server.kill)
            await asyncio.sleep(self.figures.outage_s)
            await asyncio.to_thread(server.start)
            await asyncio.sleep(10)

    async def _compare(self) -> None:
        """Wait until the log has what the topic has, then compare them byte for byte."""
        began = time.monotonic()
        ends = await self._ends()
        while (await self._offsets()) != ends:
            if time.monotonic() - began > CATCH_UP_S:
                break  # the comparison below says what is missing
            await asyncio.sleep(0.5)
        self.figures.catch_up_s = round(time.monotonic() - began, 1)
        messages = await self._topic(ends)
        expected = folded(messages)
        recorded = await self._line.recorded()
        heads = [await self._line.log.head(shard) for shard in range(PARTITIONS)]
        self.figures.takeovers = sum(head.epoch for head in heads if head)
        self.figures.messages = len(messages)
        self.figures.events = sum(map(len, recorded.values()))
        self.figures.digest = digest_of(recorded)
        assert_same_log(recorded, expected)

    async def _offsets(self) -> dict[int, int]:
        try:
            return await self._line.offsets()
        except Unavailable:
            return {}

    async def _ends(self) -> dict[int, int]:
        """The last offset of each partition that has any message."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self._line.kafka.kafka_bootstrap)
        await consumer.start()
        try:
            tps = [TopicPartition(SAMPLES_TOPIC, p) for p in range(PARTITIONS)]
            ends = await consumer.end_offsets(tps)
        finally:
            await consumer.stop()
        return {tp.partition: end - 1 for tp, end in ends.items()}

    async def _topic(self, ends: dict[int, int]) -> list[Input]:
        """Every message of the topic, partition by partition, in order of offset."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._line.kafka.kafka_bootstrap, auto_offset_reset="earliest"
        )
        await consumer.start()
        messages: list[Input] = []
        try:
            for partition, end in ends.items():
                tp = TopicPartition(SAMPLES_TOPIC, partition)
                consumer.assign([tp])
                await consumer.seek_to_beginning(tp)
                async with asyncio.timeout(60):
                    while end >= 0:
                        record = await consumer.getone(tp)
                        messages.append(decode(record.value))
                        if record.offset >= end:
                            break
        finally:
            await consumer.stop()
        return messages


async def run(rounds: int, seed: int, folder: Path, *, outage_s: float = 0) -> Figures:
    """Run that many rounds in `folder`, then two outages of `outage_s` each.

    Raises AssertionError when the log is not what the fold of the topic gives.
    """
    figures = Figures(rounds, seed, outage_s)
    with Kafka(kafka_files(), folder / "kafka") as kafka, Postgres() as postgres:
        dsn = postgres.dsn(postgres.create_database())
        async with Line.on(
            KafkaSettings(kafka_bootstrap=kafka.bootstrap), dsn, folder, partitions=PARTITIONS
        ) as line:
            await Chaos(line, kafka, postgres, figures).run()
    return figures


def main() -> None:
    """Run from the command line; prints the figures as one JSON object."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--outage-s", type=float, default=60.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="copilot-chaos-") as folder:
        chaos = run(options.rounds, options.seed, Path(folder), outage_s=options.outage_s)
        print(json.dumps(asdict(asyncio.run(chaos))))


if __name__ == "__main__":
    main()
