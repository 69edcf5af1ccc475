"""What comes on schedule, on a real server: assessments of new evidence, the knowledge base."""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING

import pytest
from temporalio.service import RPCError

from copilot_core.events import CausesRanked, ExplanationSource, StateAssessed
from copilot_eventlog.memory import MemoryLog
from copilot_workflows.assess_on_schedule.messages import Assessed, AssessRound
from copilot_workflows.knowledge.port import Synced
from copilot_workflows.names import ASSESS_ON_SCHEDULE, SYNC_KNOWLEDGE
from copilot_workflows.subjects import Subject
from copilot_workflows.sync_knowledge.messages import SyncRound
from tests.integration.workflows.agents_process import Agents, running_agents, settings_of
from tests.integration.workflows.incidents import explanations, fill, once, pages, subjects

if TYPE_CHECKING:
    from tests.infra.temporal import Temporal


@pytest.fixture
def name() -> str:
    """A cluster and a task queue of this test alone."""
    return f"orders-{uuid.uuid4().hex[:8]}"


async def assessed(there: Agents) -> Assessed:
    """One round, as the schedule starts it."""
    return await there.client.execute_workflow(
        ASSESS_ON_SCHEDULE,
        AssessRound(),
        id=f"round-{uuid.uuid4().hex}",
        task_queue=there.settings.temporal_task_queue,
        result_type=Assessed,
    )


async def states(log: MemoryLog, cluster: str, count: int) -> list[StateAssessed]:
    """The assessments in the log, once there are so many."""
    async with asyncio.timeout(30):
        while True:
            told = [e for e in await explanations(log, cluster) if isinstance(e, StateAssessed)]
            if len(told) >= count:
                return told
            await asyncio.sleep(0.05)


async def in_the_middle(log: MemoryLog, cluster: str) -> list[Subject]:
    """An incident up to a ranking that came with no transition: new evidence, not yet worded."""
    found = pages("n03-activities-failing", cluster=cluster)
    at = next(
        i
        for i, page in enumerate(found)
        if "CausesRanked" in (types := [e.type for e in page]) and "HealthTransitioned" not in types
    )
    return subjects(await fill(log, found[: at + 1]))


async def test_new_evidence_is_assessed_once(temporal: Temporal, name: str) -> None:
    """A ranking without a transition gets both revisions; the next round starts nothing."""
    log = MemoryLog()
    wanted = await in_the_middle(log, name)
    settings = settings_of(temporal.address, queue=name, model="obedient")
    async with running_agents(settings, log, unhappy=(name, "never-heard-of")) as there:
        for subject in wanted:
            await there.told(subject)
        assert await assessed(there) == Assessed(started=1, known=0)
        first, second = await states(log, name, 2)
        assert await assessed(there) == Assessed(started=0, known=0)
    assert (first.revision, second.revision) == (1, 2)
    assert second.source is ExplanationSource.MODEL
    ranked = [
        e
        for e in await log.read_stream(f"health/{name}", limit=1000)
        if e.type == CausesRanked.__name__
    ]
    assert first.explains == second.explains == ranked[-1].event_id
    assert once(await explanations(log, name))


async def test_what_a_transition_explained_is_not_assessed(temporal: Temporal, name: str) -> None:
    """The ranking that came with a transition rests on the same evidence: nothing is started."""
    log = MemoryLog()
    found = pages(cluster=name)
    at = [i for i, p in enumerate(found) if any(e.type == "HealthTransitioned" for e in p)][2]
    wanted = subjects(await fill(log, found[: at + 1]))
    settings = settings_of(temporal.address, queue=name, model="obedient")
    async with running_agents(settings, log, unhappy=(name,)) as there:
        assert await assessed(there) == Assessed(started=1, known=0)
        await states(log, name, 2)
    other = MemoryLog()
    await fill(other, [[e for page in found[: at + 1] for e in page]])
    settings = settings_of(temporal.address, queue=f"{name}-2", model="none")
    async with running_agents(settings, other, unhappy=(name,)) as there:
        handle = await there.client.start_workflow(
            "explain_transition", wanted[-1], id=f"again-{name}", task_queue=f"{name}-2"
        )
        await handle.result()
        assert await assessed(there) == Assessed(started=0, known=0)


async def test_the_knowledge_base_is_synced(temporal: Temporal, name: str) -> None:
    """One comparison tells at which pages the base stands; a second one has nothing to carry."""
    settings = settings_of(temporal.address, queue=name)
    async with running_agents(settings, MemoryLog()) as there:
        first, second = [
            await there.client.execute_workflow(
                SYNC_KNOWLEDGE,
                SyncRound(),
                id=f"sync-{n}-{name}",
                task_queue=name,
                result_type=Synced,
            )
            for n in range(2)
        ]
    assert first.digest == second.digest
    assert first.pages > 20
    assert second.changed == 0


async def test_the_schedules_are_there(kept_temporal: Temporal, name: str) -> None:
    """Both are made at the first start and brought to new settings; each start syncs at once."""
    for starts, every_s in enumerate((300, 600), start=1):
        settings = settings_of(kept_temporal.address, queue=name, assess_every_s=every_s)
        async with running_agents(settings, MemoryLog()) as there, asyncio.timeout(30):
            while await _every_s(there) != every_s:
                await asyncio.sleep(0.1)
            while await _synced(there) < starts:
                await asyncio.sleep(0.1)


async def _every_s(there: Agents) -> float:
    """How often clusters are assessed; 0 while nobody has made the schedule."""
    try:
        told = await there.client.get_schedule_handle(ASSESS_ON_SCHEDULE).describe()
    except RPCError:
        return 0
    (interval,) = told.schedule.spec.intervals
    return interval.every.total_seconds()


async def _synced(there: Agents) -> int:
    """How many comparisons have ended well."""
    asked = f'WorkflowType = "{SYNC_KNOWLEDGE}" AND ExecutionStatus = "Completed"'
    return (await there.client.count_workflows(asked)).count
