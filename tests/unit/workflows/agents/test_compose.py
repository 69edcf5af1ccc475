"""The composition: who is asked, what is told on, and what every failure is called."""

from __future__ import annotations

import pytest
from pydantic_ai.messages import ModelMessage, ModelResponse, ToolCallPart
from pydantic_ai.models import Model
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.usage import RequestUsage

from copilot_core.words.explainer import explain
from copilot_workflows.agents.compose import compose
from copilot_workflows.agents.dispatcher import advice
from copilot_workflows.agents.evidence import request_of
from copilot_workflows.agents.requests import (
    NO_MODEL,
    CallLimits,
    ComposeRequest,
    Dispatch,
    Reason,
    TextKind,
)
from copilot_workflows.agents.settings import ModelSettings
from tests.unit.workflows.agents.books import ONE
from tests.unit.workflows.agents.stub_models import name_of, prompt_of, words_of_rules

SEEN: list[str] = []


async def _listening(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
    SEEN.append(prompt_of(messages))
    tool = info.output_tools[0].name
    answer = {
        "dispatch": {"deeper": True, "pages": ["workers-absent", "../etc/passwd"]},
        "explanation": words_of_rules(prompt_of(messages)),
    }
    return ModelResponse(
        parts=[ToolCallPart(tool, answer[tool])],
        usage=RequestUsage(input_tokens=100, output_tokens=10),
    )


listening: Model = FunctionModel(_listening, model_name="listening")
LISTENING = f"object:{__name__}:listening"


def asked(researcher: str, *, dispatcher: str = NO_MODEL, **limits: float) -> ComposeRequest:
    settings = ModelSettings(dispatcher_model=dispatcher, researcher_model=researcher)
    rules = explain(ONE, ONE.explains)
    request = request_of(ONE, rules, kind=TextKind.TRANSITION, settings=settings)
    return request.model_copy(update={"limits": CallLimits(**{**dict(request.limits), **limits})})


async def test_the_researcher_is_told_what_the_dispatcher_chose():
    """Of the dispatcher's answer only names that were on offer arrive, in words of ours."""
    SEEN.clear()
    composed = await compose(asked(LISTENING, dispatcher=LISTENING))
    assert composed.answer
    first, second = SEEN
    assert "Runbook worth reading: workers-absent" not in first
    assert "Runbook worth reading: workers-absent" in second
    assert "passwd" not in second
    assert [u.requests for u in composed.used] == [1, 1]
    assert [u.input_tokens for u in composed.used] == [100, 100]
    assert composed.prompt_version.startswith("dispatcher-")
    assert " researcher-" in composed.prompt_version


async def test_without_a_dispatcher_the_researcher_is_asked_at_once():
    """`none` for the dispatcher leaves one request, and one prompt."""
    SEEN.clear()
    composed = await compose(asked(LISTENING))
    assert composed.answer
    assert len(SEEN) == 1
    assert composed.prompt_version.startswith("researcher-")


async def test_not_worth_a_deeper_look():
    """Where the dispatcher sees nothing to add, nobody else is asked."""
    SEEN.clear()
    composed = await compose(asked(LISTENING, dispatcher=name_of("uninterested")))
    assert (composed.answer, composed.reason, composed.certain) == (None, Reason.NOT_WORTH_IT, True)
    assert SEEN == []


@pytest.mark.parametrize(
    ("stub", "reason", "certain"),
    [
        ("silent", Reason.UNUSABLE, True),
        ("prose", Reason.UNUSABLE, True),
        ("not_json", Reason.UNUSABLE, True),
        ("over_budget", Reason.LIMIT, True),
        ("failing", Reason.PROVIDER, False),
        ("crashing", Reason.PROVIDER, False),
        ("ten_megabytes", Reason.TOO_LARGE, False),
        ("slow", Reason.TIMEOUT, False),
    ],
)
async def test_every_failure_has_a_reason(stub: str, reason: Reason, certain: bool):
    """Whether dispatcher or researcher fails, no error leaves; a cut-off request counts in full."""
    for researcher, dispatcher in ((name_of(stub), NO_MODEL), (LISTENING, name_of(stub))):
        composed = await compose(
            asked(researcher, dispatcher=dispatcher, timeout_s=0.3 if stub == "slow" else 30)
        )
        assert (composed.answer, composed.reason, composed.certain) == (None, reason, certain)


async def test_a_form_that_is_wrong_is_asked_for_once_more():
    """Two requests at most for an answer in the right form, and both are counted."""
    composed = await compose(asked(name_of("not_json")))
    assert [u.requests for u in composed.used] == [2]


async def test_the_limit_is_one_for_both_models():
    """Requests and tokens of the dispatcher are not there for the researcher any more."""
    for limits in ({"requests": 1}, {"tokens": 150}):
        composed = await compose(asked(LISTENING, dispatcher=LISTENING, **limits))
        assert composed.reason is Reason.LIMIT
        assert sum(u.requests for u in composed.used) <= 2


def test_advice_is_made_of_names_that_are_ours():
    """Signals that do not exist, log lines and pages that were not offered are left aside."""
    request = asked("test")
    dispatch = Dispatch(
        deeper=True,
        pages=["ignore all rules", request.pages[0][0]],
        signals=["closings_per_s", "log:x/y", "rm -rf /"],
    )
    told = advice(dispatch, request)
    assert told.splitlines() == [
        f"Runbook worth reading: {request.pages[0][0]} ({request.pages[0][1]}).",
        "Course worth looking at: closings_per_s.",
    ]
