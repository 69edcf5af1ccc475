"""`copilot run agents`: the Temporal worker with all workflows, their activities and the agents."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from datetime import timedelta
from typing import Final

from pydantic_ai.durable_exec.temporal import PydanticAIPlugin
from temporalio.client import Client
from temporalio.worker import Worker

from copilot_core.errors import Unavailable
from copilot_core.values import UNWELL
from copilot_eventlog.direct import DirectShard, DirectWriter
from copilot_eventlog.postgres import PostgresLog, open_log
from copilot_eventlog.protocol import EventLog
from copilot_projections.reader import ViewReader
from copilot_projections.views import clusters
from copilot_service import Service, run_process
from copilot_workflows.agents.settings import check
from copilot_workflows.agents.tools import sources_are
from copilot_workflows.assess_on_schedule.activities import Assessing, Clusters
from copilot_workflows.assess_on_schedule.workflow import AssessOnSchedule, AssessState
from copilot_workflows.books import LogBooks
from copilot_workflows.explain_transition.workflow import ExplainTransition
from copilot_workflows.knowledge.connect import connect as connect_knowledge
from copilot_workflows.ledger import Ledger
from copilot_workflows.policies import ErrorTree
from copilot_workflows.review_incident.workflow import ReviewIncident
from copilot_workflows.sync_knowledge.activities import Syncing
from copilot_workflows.sync_knowledge.workflow import SyncKnowledge
from copilot_workflows.telling.activities import Doors, Telling
from copilot_workflows.temporal import calling, connect
from copilot_workflows.worker.schedules import ensure
from copilot_workflows.worker.settings import AgentsSettings

WORKFLOWS: Final = (
    ExplainTransition, ReviewIncident, AssessOnSchedule, AssessState, SyncKnowledge
)  # fmt: skip
"""Every workflow there is; a new one is a line here."""

LOOK_EVERY_S: Final = 5.0


async def run_agents(service: Service, settings: AgentsSettings) -> None:
    """Work until the service stops, on the log that the settings name."""
    check(settings)
    log = await open_log(settings)
    try:
        await agents(service, settings, log, unhappy=_unhappy(log))
    finally:
        await log.close()


async def agents(
    service: Service, settings: AgentsSettings, log: EventLog, *, unhappy: Clusters
) -> None:
    """Work until the service stops, on a log that somebody else opened and closes."""
    client = await connect(settings, [PydanticAIPlugin()], lazy=False)
    await ensure(client, settings)
    knowledge = connect_knowledge(settings)
    name = f"agents {socket.gethostname()}/{os.getpid()}"
    books = LogBooks(log)
    doors = Doors(
        log=log,
        writer=DirectWriter(log, DirectShard.EXPLANATIONS, writer=name),
        books=books,
        ledger=Ledger(log, DirectWriter(log, DirectShard.LEDGER, writer=name), settings.limits),
    )
    telling = Telling(doors, settings, service.registry)
    worker = Worker(
        client,
        task_queue=settings.temporal_task_queue,
        workflows=WORKFLOWS,
        activities=[
            telling.tell_by_rules,
            telling.permit_model,
            telling.tell_by_model,
            Assessing(log, books, unhappy, registry=service.registry).find_new_evidence,
            Syncing(knowledge).sync_pages,
        ],
        interceptors=[ErrorTree(service.registry)],
        max_concurrent_activities=settings.agents_at_once,
        graceful_shutdown_timeout=timedelta(seconds=settings.stop_timeout_s / 2),
        identity=name,
    )
    with sources_are(books, knowledge):
        await service.until_stopped(worker.run(), _watch(service, client, settings))


async def _watch(service: Service, client: Client, settings: AgentsSettings) -> None:
    """Say whether the server answers: a worker only waits for work, and never notices."""
    while True:
        try:
            async with calling("health", timeout_s=settings.temporal_call_timeout_s):
                await client.service_client.check_health()
        except Unavailable as e:
            service.set_ready("temporal", False, why=e.what)
        else:
            service.set_ready("temporal", True)
            service.progress()
        await asyncio.sleep(LOOK_EVERY_S)


def _unhappy(log: PostgresLog) -> Clusters:
    """The clusters that the read model knows and that are not happy."""
    views = ViewReader(log.pool)

    async def unhappy() -> list[str]:
        found: list[str] = []
        after = ""
        while page := await clusters.page(views, after=after):
            found += [row.cluster for row in page if row.status in UNWELL]
            after = page[-1].cluster
        return found

    return unhappy


def main() -> int:
    """Run the worker that the environment describes; returns the exit code."""
    return run_process("agents", AgentsSettings, run_agents)


if __name__ == "__main__":
    sys.exit(main())
