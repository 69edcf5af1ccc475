"""The agents process inside a test: the production wiring on a log of the test's choice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from pydantic import SecretStr
from temporalio.client import Client, WorkflowHandle

from copilot_eventlog.protocol import EventLog
from copilot_service import Service
from copilot_workflows.names import workflow_id_of, workflow_of
from copilot_workflows.subjects import Subject
from copilot_workflows.telling.messages import Told
from copilot_workflows.temporal import connect
from copilot_workflows.worker.main import agents
from copilot_workflows.worker.settings import AgentsSettings
from tests.infra.temporal import NAMESPACE

STUBS: Final = "object:tests.unit.workflows.agents.stub_models"


def settings_of(
    address: str, *, queue: str, model: str = "none", dispatcher: str = "none", **other: Any
) -> AgentsSettings:
    """Settings for a stub by its name in `stub_models`; `none` for no model."""
    names = {name: "none" if name == "none" else f"{STUBS}:{name}" for name in (model, dispatcher)}
    prices = {name: {"input": 1, "output": 1} for name in names.values() if name != "none"}
    given: dict[str, Any] = {
        "log_dsn": SecretStr("postgresql://nobody@127.0.0.1/none"),
        "temporal_address": address,
        "temporal_namespace": NAMESPACE,
        "temporal_task_queue": queue,
        "researcher_model": names[model],
        "dispatcher_model": names[dispatcher],
        "model_prices": prices,
        "stop_timeout_s": 2,
        **other,
    }
    return AgentsSettings(**given)


@dataclass(frozen=True, slots=True)
class Agents:
    """A running agents process: its settings, its counters, and a client."""

    settings: AgentsSettings
    service: Service
    client: Client

    async def start(self, subject: Subject) -> WorkflowHandle[Any, Told]:
        """Start the workflow of a subject as the trigger does."""
        return await self.client.start_workflow(
            workflow_of(subject),
            subject,
            id=workflow_id_of(subject),
            task_queue=self.settings.temporal_task_queue,
            result_type=Told,
        )

    async def told(self, subject: Subject) -> Told:
        """Start the workflow of a subject and wait for its end."""
        async with asyncio.timeout(180):
            return await (await self.start(subject)).result()

    def counted(self, name: str, **labels: str) -> float:
        """What a counter stands at, 0 where it was never counted."""
        return self.service.registry.get_sample_value(name, labels) or 0.0


@asynccontextmanager
async def running_agents(
    settings: AgentsSettings, log: EventLog, *, unhappy: tuple[str, ...] = ()
) -> AsyncGenerator[Agents]:
    """Run the agents until the block ends."""

    async def clusters() -> list[str]:
        return list(unhappy)

    service = Service("agents", settings)
    task = asyncio.create_task(agents(service, settings, log, unhappy=clusters))
    try:
        yield Agents(settings, service, await connect(settings))
        if task.done():
            task.result()
    finally:
        service.stopping.set()
        async with asyncio.timeout(20):
            await asyncio.gather(task, return_exceptions=True)
