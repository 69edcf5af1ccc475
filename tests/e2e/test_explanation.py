"""An incident from Kafka to the API in better words, while what does the work is killed."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from temporalio.client import Client, WorkflowExecutionStatus

from copilot.embedded.child import free_port
from copilot_core.events import Explaining, ExplanationSource, RecordedEvent
from copilot_eventlog.explanation_log import key_of
from copilot_streams.recording import open_recording
from copilot_workflows.names import workflow_id_of
from copilot_workflows.subjects import EXPLAINED, Subject, subjects_of
from tests.e2e.line import Line, Worker, eventually
from tests.e2e.thoughtful_model import NAME as MODEL
from tests.infra.temporal import NAMESPACE
from tests.integration.workflows.incidents import INCIDENT, RECORDINGS, once

if TYPE_CHECKING:
    from tests.infra.temporal import Temporal

pytestmark = pytest.mark.slow

PRICES = json.dumps({MODEL: {"input": 1, "output": 1}})


class Machine:
    """The processes of the line that explain, on one log and one Temporal server."""

    def __init__(self, line: Line, temporal: Temporal) -> None:
        self._line = line
        self._env = {
            "temporal_address": temporal.address,
            "temporal_namespace": NAMESPACE,
            "researcher_model": MODEL,
            "dispatcher_model": "none",
            "model_prices": PRICES,
            "temporal_payload_keys": "k=MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
        }
        self.port = free_port()

    def start(self, name: str, module: str, **env: object) -> Worker:
        """Start one process."""
        return self._line.start_worker(name, module=module, **self._env, **env)

    def start_all(self) -> Worker:
        """Start everything; returns the agents, who are to be killed."""
        self._line.start_worker()
        self.start("explainer", "copilot_workflows.explainer.main")
        self.start("trigger", "copilot_workflows.trigger.main")
        self.start("projector", "copilot_projections.main")
        self.start("api", "copilot_api.main", api_port=self.port)
        return self.start("agents", "copilot_workflows.worker.main")

    async def answer(self, path: str) -> dict[str, Any] | None:
        """What the API answers; None while it does not."""
        url = f"http://127.0.0.1:{self.port}/v1/clusters/{path}"
        async with httpx.AsyncClient(trust_env=False) as client:
            try:
                found = await client.get(url)
            except httpx.TransportError:
                return None
        return found.json() if found.is_success else None


async def told(line: Line, cluster: str) -> list[Explaining]:
    """Everything that was said of a cluster."""
    recorded = await line.log.read_stream(f"explanation/{cluster}")
    return [e for r in recorded if isinstance(e := r.decoded(), Explaining)]


async def test_an_incident_is_explained_whatever_is_killed(
    line: Line, kept_temporal: Temporal
) -> None:
    """Each transition and the incident have exactly two revisions, the second one by the model.

    The Temporal server and the agents are killed while models think, and started again. No state
    changes by it: the log of the worker is what the fold makes of the messages, byte for byte.
    """
    with open_recording(RECORDINGS / f"{INCIDENT}.jsonl.gz") as recording:
        messages, cluster = list(recording), recording.header.cluster
    machine = Machine(line, kept_temporal)
    agents = machine.start_all()
    await line.send(messages)
    await line.log_holds_everything()

    async def revisions(count: int) -> bool:
        return sum(e.revision == 2 for e in await told(line, cluster)) >= count

    await eventually(lambda: revisions(1), within_s=90)
    kept_temporal.kill()
    await asyncio.sleep(2)
    await asyncio.to_thread(kept_temporal.start)
    agents.kill()
    agents.start()

    health = (await line.recorded())[f"health/{cluster}"]
    wanted = [subject for event in health for subject in subjects_of(event)]
    await eventually(lambda: revisions(len(wanted)), within_s=120)
    await _all_completed(kept_temporal, wanted)
    said = await told(line, cluster)
    assert once(said)
    assert {key_of(e) for e in said} == {
        (EXPLAINED[s.kind].__name__, s.explains, revision) for s in wanted for revision in (1, 2)
    }
    assert {e.source for e in said if e.revision == 2} == {ExplanationSource.MODEL}
    await line.log_holds_everything()
    await _served(machine, cluster, health)


async def _all_completed(temporal: Temporal, wanted: list[Subject]) -> None:
    """Every workflow ran to its end, under its own id."""
    client = await Client.connect(temporal.address, namespace=NAMESPACE)

    async def completed() -> bool:
        found = [await client.get_workflow_handle(workflow_id_of(s)).describe() for s in wanted]
        return {w.status for w in found} == {WorkflowExecutionStatus.COMPLETED}

    await eventually(completed, within_s=60)


async def _served(machine: Machine, cluster: str, health: list[RecordedEvent]) -> None:
    """The API shows the model's words for each transition."""
    for event in health:
        if subjects_of(event):
            path = f"{cluster}/explanations/{event.event_id}"

            async def better(path: str = path) -> bool:
                found = await machine.answer(path)
                return found is not None and found["revision"] == 2

            await eventually(better, within_s=30)
            found = await machine.answer(path)
            assert found is not None
            assert found["source"] == "model"
            assert found["sentences"]
