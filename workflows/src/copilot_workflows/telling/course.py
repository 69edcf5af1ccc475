"""From a subject to words in the log, as workflow code: it coordinates and decides nothing else.

    tell_by_rules   revision 1 is in the log, whoever told it                   activity
    permit_model    the ledger allows the call, or the rules' words stand       activity
    compose         dispatcher, then researcher, within 30 s                    agents, durable
    tell_by_model   the ledger is settled, revision 2 is in the log             activity

Each activity may be done again at any time. Where no model is configured the course ends after the
first, where the event is gone as well.
"""

from __future__ import annotations

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from copilot_workflows.agents.compose import compose
from copilot_workflows.agents.requests import TextKind
from copilot_workflows.policies import LOG
from copilot_workflows.subjects import Subject
from copilot_workflows.telling.messages import (
    PERMIT_MODEL,
    TELL_BY_MODEL,
    TELL_BY_RULES,
    ByRules,
    Conclusion,
    Permit,
    Told,
)


async def tell(subject: Subject, kind: TextKind) -> Told:
    """Have a subject of this kind worded; returns which words stand in the end."""
    if subject.kind is not kind:
        raise ApplicationError(
            f"a {subject.kind} is not worded here", type="Rejected", non_retryable=True
        )
    rules = await workflow.execute_activity(TELL_BY_RULES, subject, result_type=ByRules, **LOG)
    if not rules.ask:
        return rules.told
    permit = await workflow.execute_activity(PERMIT_MODEL, subject, result_type=Permit, **LOG)
    if permit.request is None or permit.reserved is None:
        return permit.told or rules.told
    composed = await compose(permit.request)
    return await workflow.execute_activity(
        TELL_BY_MODEL,
        Conclusion(subject=subject, reserved=permit.reserved, composed=composed),
        result_type=Told,
        **LOG,
    )
