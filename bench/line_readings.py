"""How many readings a second one core decodes, folds and makes durable.

The way of a message through `ShardWriter`, from the bytes that Kafka delivers to the committed
append (fsync on). Everything of ours runs in this one thread, the database on another core; two
shards take turns, so that one folds while the other waits for its commit, as in a worker. The
figure is per second of processor time of this process, which is what one core gives; by the clock
it is less on a machine that is busy with other things, and said beside it. The reference is the
same decode and fold with nothing stored.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from statistics import median
from typing import Any, Final

from pydantic import SecretStr
from whenever import Instant

from bench.line_parts import samples
from bench.result import BenchResult
from copilot_core.fold import fold, initial
from copilot_core.rules import RulePack
from copilot_core.samples import decode, encode
from copilot_core.signals import SIGNAL_NAMES
from copilot_eventlog import schema
from copilot_eventlog.postgres import open_log
from copilot_eventlog.protocol import EventLog
from copilot_eventlog.settings import EventLogSettings
from copilot_streams.worker.shard import Message, Parts, Refused, ShardWriter
from tests.infra.postgres import Postgres

CLUSTERS: Final = 20
SLOTS: Final = 100
ROUNDS: Final = 5
SHARDS: Final = 2
DELIVERED: Final = 500
"""Messages that the agent hands on at once under load."""


def run() -> Iterator[dict[str, Any]]:
    """Measure; yields `readings_durable`."""
    with Postgres() as server:
        yield asyncio.run(_run(server)).as_dict()


async def _run(server: Postgres) -> BenchResult:
    inputs = [(m.cluster.encode(), encode(m)) for m in samples(CLUSTERS, SLOTS)]
    readings = len(inputs) * len(SIGNAL_NAMES)
    ours, clock, theirs = [], [], []
    for _ in range(ROUNDS):
        settings = EventLogSettings(log_dsn=SecretStr(server.dsn(server.create_database())))
        log = await open_log(settings)
        await schema.apply(log.pool, settings.dialect)
        began, began_cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(
            *(_write(log, shard, inputs[shard::SHARDS]) for shard in range(SHARDS))
        )
        ours.append(readings / (time.process_time() - began_cpu))
        clock.append(readings / (time.perf_counter() - began))
        theirs.append(readings / _folding_s(inputs))
        await log.close()
    return BenchResult.of_rounds(
        "readings_durable",
        f"readings/s of one core ({median(clock):,.0f} by the clock)",
        ours=ours,
        reference="the same decode and fold, nothing stored",
        theirs=theirs,
    )


async def _write(log: EventLog, shard: int, inputs: Sequence[tuple[bytes, bytes]]) -> None:
    """Write inputs through one shard's writer."""
    writer = await ShardWriter.take_over(_parts(log), shard)
    messages = [Message(offset, key, value) for offset, (key, value) in enumerate(inputs)]
    for first in range(0, len(messages), DELIVERED):
        await writer.write(messages[first : first + DELIVERED])


def _folding_s(inputs: Sequence[tuple[bytes, bytes]]) -> float:
    """Seconds of processor time to decode and fold all inputs."""
    states = {}
    rules = RulePack.default()
    began = time.process_time()
    for key, value in inputs:
        message = decode(value, key=key)
        state = states.get(message.cluster) or initial(message.cluster)
        states[message.cluster] = fold(state, message, rules).state
    return time.process_time() - began


def _parts(log: EventLog) -> Parts:
    async def refuse(refused: Refused) -> None:
        raise refused.error

    return Parts(
        log=log,
        topic="bench",
        source="bench",
        writer="bench",
        rules_of=lambda _: RulePack.default(),
        refuse=refuse,
        clock=Instant.now,
    )
