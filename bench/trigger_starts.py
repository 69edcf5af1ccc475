"""Workflow starts of the trigger that catches up, beside a bare client of the SDK.

Both start workflows on one Temporal server (Go, four services in one process, SQLite in memory),
with as many starts under way and the same id policies; rounds alternate. The trigger reads its
transitions from PostgreSQL, translates errors and keeps its checkpoint; nobody works on the queue.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy

from bench.result import BenchResult
from copilot_core.events import HealthTransitioned, NewEvent, event_id
from copilot_core.values import Status
from copilot_eventlog import schema
from copilot_eventlog.postgres import PostgresLog, open_log
from copilot_eventlog.settings import EventLogSettings
from copilot_workflows.agents.requests import TextKind
from copilot_workflows.names import EXPLAIN_TRANSITION
from copilot_workflows.settings import TemporalSettings
from copilot_workflows.subjects import Subject
from copilot_workflows.temporal import connect
from copilot_workflows.trigger.starter import Trigger
from tests.infra.components import temporal_server_file
from tests.infra.postgres import Postgres
from tests.infra.temporal import NAMESPACE, Temporal
from tests.integration.workflows.incidents import pages

QUEUE: Final = "bench"
AT_ONCE: Final = 32
STARTS: Final = 500
ROUNDS: Final = 3


def run() -> Iterator[dict[str, Any]]:
    """Measure; yields `trigger_starts_per_s`."""
    with TemporaryDirectory(prefix="copilot-bench-") as name, Postgres() as postgres:
        home = Path(name)
        (home / "dynamicconfig.yaml").write_text("{}\n")
        binary = temporal_server_file()
        with Temporal(binary, home, dynamic_config=home / "dynamicconfig.yaml") as server:
            dsn = postgres.dsn(postgres.create_database())
            ours, theirs = asyncio.run(_rounds(server.address, dsn))
    yield BenchResult.of_rounds(
        "trigger_starts_per_s",
        "starts/s",
        ours=ours,
        reference=f"bare client of the SDK, {AT_ONCE} starts at once",
        theirs=theirs,
    ).as_dict()


async def _rounds(address: str, dsn: str) -> tuple[list[float], list[float]]:
    settings = TemporalSettings(temporal_address=address, temporal_namespace=NAMESPACE)
    client = await connect(settings)
    log = await open_log(EventLogSettings(log_dsn=SecretStr(dsn)))
    try:
        await schema.apply(log.pool, EventLogSettings(log_dsn=SecretStr(dsn)).dialect)
        trigger = Trigger(
            log, client, CollectorRegistry(), task_queue=QUEUE, at_once=AT_ONCE, timeout_s=30
        )
        await _bare_per_s(client, -1)  # both are warm
        ours, theirs = [], []
        for number in range(ROUNDS):
            await _append(log, number)
            ours.append(await _trigger_per_s(trigger))
            theirs.append(await _bare_per_s(client, number))
    finally:
        await log.close()
    return ours, theirs


async def _append(log: PostgresLog, number: int) -> None:
    """Transitions that get worse, so each leads to one workflow."""
    one = next(
        e for page in pages() for e in page if e.type == HealthTransitioned.__name__ and _worse(e)
    )
    events = [replace(one, stream=f"health/trigger-{number}-{n}", version=1) for n in range(STARTS)]
    head = await log.take_over(0, writer="bench", source="bench")
    await log.append(head, events, source_offset=0)


def _worse(event: NewEvent) -> bool:
    told = event.decoded()
    return isinstance(told, HealthTransitioned) and told.to is Status.CRITICAL


async def _trigger_per_s(trigger: Trigger) -> float:
    await trigger.refresh()
    began = time.perf_counter()
    while await trigger.step():
        pass
    return STARTS / (time.perf_counter() - began)


async def _bare_per_s(client: Client, number: int) -> float:
    slots = asyncio.Semaphore(AT_ONCE)

    async def start(n: int) -> None:
        cluster = f"bare-{number}-{n}"
        id_ = event_id(f"health/{cluster}", 1)
        subject = Subject(cluster=cluster, explains=id_, at=1, kind=TextKind.TRANSITION)
        async with slots:
            await client.start_workflow(
                EXPLAIN_TRANSITION,
                subject,
                id=str(id_),
                task_queue=QUEUE,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            )

    began = time.perf_counter()
    await asyncio.gather(*(start(n) for n in range(STARTS)))
    return STARTS / (time.perf_counter() - began)
