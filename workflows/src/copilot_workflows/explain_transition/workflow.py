"""A transition in better words: workflow id = event id of the transition."""

from __future__ import annotations

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from pydantic_ai.durable_exec.temporal import PydanticAIWorkflow

    from copilot_workflows.agents.compose import AGENTS
    from copilot_workflows.agents.requests import TextKind
    from copilot_workflows.names import EXPLAIN_TRANSITION
    from copilot_workflows.subjects import Subject
    from copilot_workflows.telling.course import tell
    from copilot_workflows.telling.messages import Told


@workflow.defn(name=EXPLAIN_TRANSITION)
class ExplainTransition(PydanticAIWorkflow):
    """See `copilot_workflows.telling.course`."""

    __pydantic_ai_agents__ = AGENTS

    @workflow.run
    async def run(self, subject: Subject) -> Told:
        """Have it worded; returns which words stand in the end."""
        return await tell(subject, TextKind.TRANSITION)
