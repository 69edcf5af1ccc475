"""Both agents on a real Temporal server: each request and each tool is an activity of its own."""

from __future__ import annotations

import uuid
from collections import Counter
from typing import TYPE_CHECKING

from copilot_core.events import ExplanationSource
from copilot_eventlog.memory import MemoryLog
from copilot_workflows.agents.requests import TextKind
from copilot_workflows.subjects import Subject
from tests.integration.workflows.agents_process import Agents, running_agents, settings_of
from tests.integration.workflows.incidents import explanations, fill, pages, subjects
from tests.unit.workflows.agents.stub_models import name_of

if TYPE_CHECKING:
    from tests.infra.temporal import Temporal


async def activities(agents: Agents, subject: Subject) -> Counter[str]:
    """What was done for a subject, by type of activity."""
    handle = await agents.start(subject)
    await handle.result()
    history = await handle.fetch_history()
    return Counter(
        event.activity_task_scheduled_event_attributes.activity_type.name
        for event in history.events
        if event.HasField("activity_task_scheduled_event_attributes")
    )


async def test_tools_are_activities(temporal: Temporal) -> None:
    """A model that calls every tool gets its answers from the log and the runbooks, durably."""
    log, name = MemoryLog(), f"orders-{uuid.uuid4().hex[:8]}"
    wanted = subjects(await fill(log, pages(cluster=name)))
    subject = next(s for s in wanted if s.kind is TextKind.TRANSITION)
    settings = settings_of(
        temporal.address, queue=name, model="random_form", dispatcher="obedient",
        model_call_tokens=500_000,
    )  # fmt: skip
    async with running_agents(settings, log) as there:
        done = await activities(there, subject)
    assert done["agent__dispatcher__model_request"] == 1
    assert done["agent__researcher__model_request"] == 2
    assert done["agent__researcher__toolset__evidence__call_tool"] == 3
    said = (await explanations(log, name))[-1]
    assert (said.revision, said.source) == (2, ExplanationSource.RULES)
    assert said.model == name_of("random_form")
