"""An incident that has ended, told from its beginning: workflow id = `incident-` and the id of the
transition that ended it."""

from __future__ import annotations

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from pydantic_ai.durable_exec.temporal import PydanticAIWorkflow

    from copilot_workflows.agents.compose import AGENTS
    from copilot_workflows.agents.requests import TextKind
    from copilot_workflows.names import REVIEW_INCIDENT
    from copilot_workflows.subjects import Subject
    from copilot_workflows.telling.course import tell
    from copilot_workflows.telling.messages import Told


@workflow.defn(name=REVIEW_INCIDENT)
class ReviewIncident(PydanticAIWorkflow):
    """See `copilot_workflows.telling.course`."""

    __pydantic_ai_agents__ = AGENTS

    @workflow.run
    async def run(self, subject: Subject) -> Told:
        """Have it worded; returns which words stand in the end."""
        return await tell(subject, TextKind.INCIDENT)
