"""The trigger on a real Temporal server: one workflow per thing that is told, and no second one."""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING

import pytest
from prometheus_client import CollectorRegistry
from temporalio.client import Client

from copilot.embedded.child import free_port
from copilot_core.errors import Rejected, Unavailable
from copilot_eventlog.memory import MemoryLog
from copilot_workflows.names import workflow_id_of, workflow_of
from copilot_workflows.settings import TemporalSettings
from copilot_workflows.temporal import connect
from copilot_workflows.trigger.starter import Trigger
from tests.infra.temporal import NAMESPACE
from tests.integration.workflows.incidents import fill, pages, subjects

if TYPE_CHECKING:
    from copilot_eventlog.protocol import EventLog
    from copilot_workflows.subjects import Subject
    from tests.infra.temporal import Temporal

QUEUE = "nobody-works-here"


@pytest.fixture
def cluster() -> str:
    """A cluster of this test alone: event ids, and so workflow ids, come from its name."""
    return f"orders-{uuid.uuid4().hex[:8]}"


async def trigger(
    log: EventLog, address: str, *, timeout_s: float = 10, namespace: str = NAMESPACE
) -> Trigger:
    """A trigger that has just started."""
    settings = TemporalSettings(temporal_address=address, temporal_namespace=namespace)
    return Trigger(
        log,
        await connect(settings),
        CollectorRegistry(),
        task_queue=QUEUE,
        at_once=8,
        timeout_s=timeout_s,
    )


async def run_dry(trigger: Trigger) -> None:
    """Let it start everything that is there."""
    await trigger.refresh()
    while await trigger.step():
        pass


async def runs(address: str, wanted: list[Subject]) -> list[tuple[str, str]]:
    """Id and workflow of every run of what was wanted; raises where one is missing."""
    client = await Client.connect(address, namespace=NAMESPACE)
    found = []
    for subject in wanted:
        told = await client.get_workflow_handle(workflow_id_of(subject)).describe()
        found.append((told.id, told.workflow_type))
    return found


def expected(wanted: list[Subject]) -> list[tuple[str, str]]:
    """What `runs` should give."""
    return [(workflow_id_of(s), workflow_of(s)) for s in wanted]


async def test_everything_told_has_its_workflow(temporal: Temporal, cluster: str) -> None:
    """Each transition and each ended incident is started under its own id, with its subject."""
    log = MemoryLog()
    wanted = subjects(await fill(log, pages(cluster=cluster)))
    await run_dry(await trigger(log, temporal.address))
    assert await runs(temporal.address, wanted) == expected(wanted)
    assert {workflow_of(s) for s in wanted} == {"explain_transition", "review_incident"}


async def test_starting_again_is_harmless(temporal: Temporal, cluster: str) -> None:
    """A trigger without a checkpoint, and another beside it, find what runs or ran, and go on."""
    log = MemoryLog()
    wanted = subjects(await fill(log, pages(cluster=cluster)))
    first = await trigger(log, temporal.address)
    await run_dry(first)
    client = await Client.connect(temporal.address, namespace=NAMESPACE)
    before = [
        (await client.get_workflow_handle(workflow_id_of(s)).describe()).run_id for s in wanted
    ]
    await client.get_workflow_handle(workflow_id_of(wanted[0])).terminate()
    forgetful = MemoryLog()
    await fill(forgetful, pages(cluster=cluster))
    again = [await trigger(forgetful, temporal.address) for _ in range(2)]
    await asyncio.gather(*map(run_dry, again))
    after = [
        (await client.get_workflow_handle(workflow_id_of(s)).describe()).run_id for s in wanted
    ]
    assert after == before
    assert (await forgetful.load_checkpoint("trigger", "1", 0)).position >= 0


async def test_a_server_that_is_away(kept_temporal: Temporal, cluster: str) -> None:
    """While the server is away nothing moves; when it is back nothing is missing."""
    log = MemoryLog()
    messages = pages(cluster=cluster)
    half = len(messages) // 2
    await fill(log, messages[:half])
    there = await trigger(log, kept_temporal.address, timeout_s=3)
    await run_dry(there)
    kept_temporal.kill()
    recorded = await fill(log, messages[half:])
    assert subjects(recorded)
    before = await log.load_checkpoint("trigger", "1", 0)
    with pytest.raises(Unavailable):
        await run_dry(there)
    assert await log.load_checkpoint("trigger", "1", 0) == before
    await asyncio.to_thread(kept_temporal.start)
    await run_dry(there)
    wanted = subjects(await log.read(0, limit=10_000))
    assert await runs(kept_temporal.address, wanted) == expected(wanted)


async def test_nobody_at_the_address(cluster: str) -> None:
    """A server that was never there is `Unavailable`, with the variable to look at."""
    log = MemoryLog()
    await fill(log, pages(cluster=cluster))
    with pytest.raises(Unavailable, match="COPILOT_TEMPORAL_ADDRESS"):
        await run_dry(await trigger(log, f"127.0.0.1:{free_port()}", timeout_s=5))


async def test_a_namespace_that_does_not_exist(temporal: Temporal, cluster: str) -> None:
    """It will not be there by waiting: `Rejected`, with the variable to look at."""
    log = MemoryLog()
    await fill(log, pages(cluster=cluster))
    with pytest.raises(Rejected, match="COPILOT_TEMPORAL_NAMESPACE"):
        await run_dry(await trigger(log, temporal.address, namespace="nobodys"))
