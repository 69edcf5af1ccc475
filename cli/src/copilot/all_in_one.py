"""`copilot run all`: the whole line on one machine, one process tree.

    database and broker       given by the environment, or embedded
    tables and topics         made when missing
    worker, relay, projector, api, scraper, explainer
                              the production processes, as children
    trigger, agents           the same, when a Temporal server is given

An embedded broker lives in memory and forgets with this process; the log does not. Its offsets
start anew under a new name, and samples that are folded already are recognised as duplicates.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from copilot.embedded.broker import EmbeddedBroker
from copilot.embedded.postgres import EmbeddedPostgres
from copilot.settings import AllInOneSettings
from copilot.supervisor import Supervisor, copilot_part
from copilot_eventlog import schema
from copilot_eventlog.postgres import open_log
from copilot_eventlog.settings import EventLogSettings, LogAuth
from copilot_service import Service, run_process
from copilot_streams.kafka import KafkaSettings, ensure_topics, topics_of_the_line

PARTS: Final = ("worker", "relay", "projector", "api", "scraper", "explainer")
"""In the order of their start; they are stopped in the reverse one."""
WITH_TEMPORAL: Final = ("trigger", "agents")
"""Parts that need a Temporal server; nothing embeds one."""

PROGRESS_EVERY_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Components:
    """A database with the log's tables and a broker with the line's topics.

    `env` is what parts must be told beside their own environment; `embedded` are the components
    that live in this process tree.
    """

    log: EventLogSettings
    kafka: KafkaSettings
    env: Mapping[str, str]
    embedded: Sequence[EmbeddedPostgres | EmbeddedBroker]

    async def ended(self) -> None:
        """Wait until an embedded component ends by itself, for ever if there is none.

        Raises an exception group with the component's `Unavailable`.
        """
        async with asyncio.TaskGroup() as tasks:
            for component in self.embedded:
                tasks.create_task(component.ended())
            await asyncio.Event().wait()


@asynccontextmanager
async def components(
    *,
    log: EventLogSettings | None,
    kafka: KafkaSettings | None,
    partitions: int,
    data_dir: Path | None,
) -> AsyncGenerator[Components]:
    """Use what is given and embed what is not; embedded parts end with the block.

    `data_dir` keeps an embedded database; None deletes it at the end.
    """
    env: dict[str, str] = {}
    embedded: list[EmbeddedPostgres | EmbeddedBroker] = []
    topics = topics_of_the_line(partitions)
    async with AsyncExitStack() as stack:
        if log is None:
            postgres = await stack.enter_async_context(EmbeddedPostgres(data_dir))
            embedded.append(postgres)
            log = EventLogSettings(log_dsn=SecretStr(postgres.dsn), log_auth=LogAuth.PASSWORD)
            env |= {"COPILOT_LOG_DSN": postgres.dsn, "COPILOT_LOG_AUTH": log.log_auth}
        if kafka is None:
            broker = EmbeddedBroker({topic.name: topic.partitions for topic in topics})
            await stack.enter_async_context(broker)
            embedded.append(broker)
            kafka = broker.settings
            env |= {
                "COPILOT_KAFKA_BOOTSTRAP": kafka.kafka_bootstrap,
                "COPILOT_KAFKA_INCARNATION": kafka.kafka_incarnation,
                "COPILOT_KAFKA_IDEMPOTENT": str(kafka.kafka_idempotent).lower(),
            }
        else:
            await ensure_topics(kafka, topics)
        await make_tables(log)
        yield Components(log, kafka, env, embedded)


async def make_tables(settings: EventLogSettings) -> None:
    """Make the tables of the log that are missing."""
    log = await open_log(settings)
    try:
        await schema.apply(log.pool, settings.dialect)
    finally:
        await log.close()


async def run_all(service: Service, settings: AllInOneSettings) -> None:
    """Run the line until the service stops."""
    given_log = EventLogSettings(log_dsn=settings.log_dsn) if settings.log_dsn else None
    given_kafka = KafkaSettings() if settings.kafka_bootstrap else None
    async with components(
        log=given_log,
        kafka=given_kafka,
        partitions=settings.kafka_partitions,
        data_dir=settings.data_dir,
    ) as found:
        parts = (*PARTS, *WITH_TEMPORAL) if settings.temporal_address else PARTS
        ports = _ports(parts, settings.service_port)
        supervisor = Supervisor(
            [
                copilot_part(name, env={**found.env, "COPILOT_SERVICE_PORT": str(ports[name])})
                for name in parts
            ]
        )
        service.set_ready("components", True)
        async with asyncio.TaskGroup() as tasks:
            watching = [
                tasks.create_task(found.ended()),
                tasks.create_task(_progress(service, supervisor, parts)),
            ]
            await supervisor.run(service.stopping)
            for task in watching:
                task.cancel()


def _ports(parts: Sequence[str], first: int) -> dict[str, int]:
    """Each part answers /metrics on a port of its own behind ours; none when ours is 0."""
    return {name: first + i if first else 0 for i, name in enumerate(parts, start=1)}


async def _progress(service: Service, supervisor: Supervisor, parts: Sequence[str]) -> None:
    while True:
        for name in parts:
            running = supervisor.pid(name) is not None
            service.set_ready(name, running, why="" if running else "not running")
        service.progress()
        await asyncio.sleep(PROGRESS_EVERY_S)


def main() -> int:
    """Run everything that the environment describes; returns the exit code."""
    return run_process("all", AllInOneSettings, run_all)
