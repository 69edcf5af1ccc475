"""Every five minutes: what of the clusters that are not happy is new, and one child per ranking.

The parent asks once and starts children that outlive it, so its history stays a page long however
many clusters there are, and the schedule, not a loop, brings the next round.
"""

from __future__ import annotations

from temporalio import workflow
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.workflow import ParentClosePolicy

with workflow.unsafe.imports_passed_through():
    from pydantic_ai.durable_exec.temporal import PydanticAIWorkflow

    from copilot_workflows.agents.compose import AGENTS
    from copilot_workflows.agents.requests import TextKind
    from copilot_workflows.assess_on_schedule.messages import (
        FIND_NEW_EVIDENCE,
        Assessed,
        AssessRound,
        NewEvidence,
    )
    from copilot_workflows.names import ASSESS_ON_SCHEDULE, ASSESS_STATE, workflow_id_of
    from copilot_workflows.policies import a_round
    from copilot_workflows.subjects import Subject
    from copilot_workflows.telling.course import tell
    from copilot_workflows.telling.messages import Told


@workflow.defn(name=ASSESS_ON_SCHEDULE)
class AssessOnSchedule:
    """One round; see the module's docstring."""

    @workflow.run
    async def run(self, asked: AssessRound) -> Assessed:
        """Start what is new; returns how much that was."""
        found = await workflow.execute_activity(
            FIND_NEW_EVIDENCE, asked, result_type=NewEvidence, **a_round(asked.every_s)
        )
        started = 0
        for subject in found.subjects:
            try:
                await workflow.start_child_workflow(
                    ASSESS_STATE,
                    subject,
                    id=workflow_id_of(subject),
                    id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                    parent_close_policy=ParentClosePolicy.ABANDON,
                )
            except WorkflowAlreadyStartedError:
                continue
            started += 1
        return Assessed(started=started, known=len(found.subjects) - started)


@workflow.defn(name=ASSESS_STATE)
class AssessState(PydanticAIWorkflow):
    """One ranking of an unhappy cluster; see `copilot_workflows.telling.course`."""

    __pydantic_ai_agents__ = AGENTS

    @workflow.run
    async def run(self, subject: Subject) -> Told:
        """Have it worded; returns which words stand in the end."""
        return await tell(subject, TextKind.STATE)
