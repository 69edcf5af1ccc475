"""What workflows are told and what they answer survives the way through Temporal's payloads."""

from __future__ import annotations

from uuid import UUID

import pytest
from pydantic import BaseModel

from copilot_core.events import ExplanationSource, ModelCallReserved
from copilot_workflows.agents.requests import (
    Answer,
    AnswerSentence,
    Composed,
    ComposeRequest,
    Reason,
    TextKind,
)
from copilot_workflows.assess_on_schedule.messages import Assessed, AssessRound, NewEvidence
from copilot_workflows.names import workflow_id_of, workflow_of
from copilot_workflows.settings import TemporalSettings
from copilot_workflows.subjects import Subject
from copilot_workflows.sync_knowledge.messages import SyncRound
from copilot_workflows.telling.messages import ByRules, Conclusion, Permit, Told
from copilot_workflows.temporal import converter

ID = UUID("6f1f0e0c-3b0a-5d57-9c43-7c2a52d1d0a1")
SUBJECT = Subject(cluster="orders", explains=ID, at=1_795_367_400, kind=TextKind.TRANSITION)
RESERVED = ModelCallReserved(
    at=1, call="c", incident=1, signature="0" * 64, model="m", requests=1, tokens=1,
    cost_micro_usd=1,
)  # fmt: skip
REQUEST = ComposeRequest(
    cluster="orders", explains=ID, as_of=1, kind=TextKind.STATE, dispatcher_model="none",
    researcher_model="m", evidence="E", pages=(("a", "b"),),
)  # fmt: skip
COMPOSED = Composed(
    answer=Answer(headline=AnswerSentence(text="So.")), reason=None, used=(), model="m",
    prompt_version="p", certain=True,
)  # fmt: skip

MESSAGES = (
    SUBJECT,
    ByRules(told=Told(revision=1, source=ExplanationSource.RULES), ask=True),
    Permit(request=REQUEST, reserved=RESERVED),
    Permit(told=Told(revision=2, source=ExplanationSource.RULES, reason=Reason.BUDGET)),
    Conclusion(subject=SUBJECT, reserved=RESERVED, composed=COMPOSED),
    Told(revision=0, reason=Reason.EVENT_GONE),
    AssessRound(),
    NewEvidence(subjects=(SUBJECT,)),
    Assessed(started=1, known=2),
    SyncRound(),
)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: type(m).__name__)
async def test_a_message_comes_through_as_it_was(message: BaseModel) -> None:
    """One model in, the same model out: ids, enums, nested models and absent ones included."""
    settings = TemporalSettings(temporal_address="127.0.0.1:1", temporal_namespace="x")
    through = converter(settings)
    (back,) = await through.decode(await through.encode([message]), [type(message)])
    assert back == message


def test_ids_name_what_is_told() -> None:
    """The transition's workflow has the event's own id; the others stand beside it."""
    named = {
        kind: (workflow_of(s), workflow_id_of(s))
        for kind in TextKind
        if (s := SUBJECT.model_copy(update={"kind": kind}))
    }
    assert named == {
        TextKind.TRANSITION: ("explain_transition", str(ID)),
        TextKind.INCIDENT: ("review_incident", f"incident-{ID}"),
        TextKind.STATE: ("assess_state", f"state-{ID}"),
    }
