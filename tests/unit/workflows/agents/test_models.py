"""Models by name: what a setting may say, and that nothing of a provider passes its border."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from pydantic_ai.exceptions import ModelAPIError, ModelRequestRejectedError
from pydantic_ai.messages import ModelMessage, ModelRequest, ModelResponse
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.models.bedrock import BedrockConverseModel
from pydantic_ai.models.function import AgentInfo, FunctionModel

from copilot_core.errors import Defect, Rejected
from copilot_workflows.agents.models import (
    DISPATCHER,
    MAX_ANSWER_BYTES,
    RESEARCHER,
    TOO_LARGE,
    Bounded,
    Named,
    model_named,
)
from copilot_workflows.agents.prices import FREE, MAX_OUTPUT_TOKENS, Price, at_most, price_of
from copilot_workflows.agents.requests import NO_MODEL, CallLimits
from copilot_workflows.agents.settings import ModelSettings, check
from tests.unit.workflows.agents.stub_models import name_of


async def asked(model: Model) -> ModelResponse:
    messages: list[ModelMessage] = [ModelRequest.user_text_prompt("hello")]
    return await model.request(messages, None, ModelRequestParameters())


def raising(error: Exception) -> Model:
    async def answer(_: list[ModelMessage], __: AgentInfo) -> ModelResponse:
        raise error

    return Bounded(FunctionModel(answer))


# --- names ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [DISPATCHER, RESEARCHER])
def test_the_defaults_are_models_of_bedrock(name: str, monkeypatch: pytest.MonkeyPatch):
    """The seed's models exist by their ids, for whoever has a region, and have a known price."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    model = model_named(name)
    assert isinstance(model, Bounded)
    assert isinstance(model.wrapped, BedrockConverseModel)
    assert price_of(name, {}).output > price_of(name, {}).input > 0


@pytest.mark.parametrize(
    "name",
    [
        "nonsense",
        "nobody:model",
        "object:os:path",
        "object:no.such.module:x",
        f"{name_of('obedient')}ly",
        "object:",
    ],
)
def test_a_name_that_means_none_is_refused(name: str):
    """A wrong name is told at the start, with the settings to look at."""
    with pytest.raises(Rejected) as told:
        model_named(name)
    assert told.value.code == "settings"
    assert "COPILOT_RESEARCHER_MODEL" in told.value.where


def test_a_model_of_ones_own_is_named_by_its_module():
    """`object:` takes a model, or something that makes one."""
    assert model_named(name_of("obedient")).model_name == "obedient"
    assert model_named("object:pydantic_ai.models.test:TestModel").model_name == "test"


async def test_a_name_answers_nothing():
    """What stands for a model inside a workflow is never asked."""
    with pytest.raises(Defect):
        await asked(Named("x"))


# --- the border -----------------------------------------------------------------------------------


async def test_an_answer_that_is_too_large_is_refused():
    """Ten megabytes end as an error of a model, before they become a payload."""
    with pytest.raises(ModelRequestRejectedError, match=f"{TOO_LARGE} {MAX_ANSWER_BYTES}"):
        await asked(model_named(name_of("ten_megabytes")))


async def test_errors_of_libraries_keep_their_words_to_themselves():
    """Whatever a library raises is an error of the model; a secret in its text goes nowhere."""
    with pytest.raises(ModelAPIError) as told:
        await asked(model_named(name_of("crashing")))
    assert "ZeroDivisionError" in str(told.value)
    assert "hunter2" not in str(told.value)
    assert told.value.__cause__ is None


async def test_without_credentials_nothing_was_used():
    """An error before anything was sent is a refusal, which costs nothing and is not retried."""
    no_credentials = type("NoCredentialsError", (Exception,), {})
    with pytest.raises(ModelRequestRejectedError):
        await asked(raising(no_credentials()))


# --- prices ---------------------------------------------------------------------------------------


def test_a_given_price_goes_before():
    """The price of a contract is the one that counts."""
    given_price = Price(input=Decimal("0.5"), output=Decimal(1))
    assert price_of(RESEARCHER, {RESEARCHER: given_price}) == given_price
    assert price_of("test", {}) == price_of(NO_MODEL, {}) == FREE


def test_an_unknown_price_is_refused():
    """A limit of money is never kept by guessing; the error holds the setting to copy."""
    with pytest.raises(Rejected) as told:
        price_of("ollama:llama-of-mine", {})
    assert 'COPILOT_MODEL_PRICES=\'{"ollama:llama-of-mine"' in told.value.todo


@given(
    st.integers(1, 10),
    st.integers(1, 200_000),
    st.integers(0, 10),
    st.floats(0, 1),
)
def test_a_call_costs_no_more_than_reserved(requests: int, tokens: int, made: int, share: float):
    """However a call within its limits uses its tokens, it costs at most what was reserved."""
    cheap = Price(input=Decimal("0.25"), output=Decimal(2))
    dear = Price(input=Decimal(5), output=Decimal(25))
    limits = CallLimits(requests=requests, tokens=tokens)
    output = min(int(tokens * share), min(made, requests) * MAX_OUTPUT_TOKENS)
    used = dear.micro_usd(input_tokens=tokens - output, output_tokens=output)
    assert used <= at_most(limits, cheap, dear)


# --- settings -------------------------------------------------------------------------------------


def test_no_call_would_ever_fit():
    """A call that is larger than a budget is told at the start; a budget of 0 forbids all calls."""
    with pytest.raises(ValidationError, match="COPILOT_MODEL_CALL_TOKENS"):
        ModelSettings(model_call_tokens=1_000, budget_day_tokens=999)
    assert ModelSettings(budget_day_tokens=0).limits.day.tokens == 0


def test_each_model_has_a_request():
    """A call of one request is the dispatcher's; the researcher would never be asked."""
    with pytest.raises(ValidationError, match="COPILOT_MODEL_CALL_REQUESTS"):
        ModelSettings(model_call_requests=1)
    assert ModelSettings(model_call_requests=1, dispatcher_model=NO_MODEL).call_limits.requests == 1
    assert not ModelSettings(model_call_requests=1, researcher_model=NO_MODEL).asks_a_model


@pytest.mark.parametrize("scope", ["incident", "day"])
def test_no_call_would_ever_be_paid(scope: str):
    """Money that is less than one call may cost refuses every call: told at the start. Exactly one
    call, and 0, which forbids calls, are what somebody may want."""
    name = name_of("obedient")
    models = {
        "dispatcher_model": NO_MODEL,
        "researcher_model": name,
        "model_prices": {name: Price(input=Decimal(5), output=Decimal(25))},
    }

    def budget(usd: str) -> ModelSettings:
        return ModelSettings.model_validate({**models, f"budget_{scope}_usd": usd})

    with pytest.raises(Rejected, match=r"1\.08 USD.*budget of 0\.5 USD") as refused:
        check(budget("0.50"))
    assert refused.value.where == f"COPILOT_BUDGET_{scope.upper()}_USD"
    check(budget("1.08"))
    check(budget("0"))


def test_what_fails_later_is_told_at_the_start():
    """Names and prices are looked at once; `none` needs neither."""
    check(ModelSettings(researcher_model=NO_MODEL, dispatcher_model="nonsense"))
    check(ModelSettings(researcher_model="test", dispatcher_model=NO_MODEL))
    with pytest.raises(Rejected, match="costs"):
        check(ModelSettings(researcher_model=name_of("obedient"), dispatcher_model=NO_MODEL))
    with pytest.raises(Rejected, match="no model is called"):
        check(ModelSettings(researcher_model="test", dispatcher_model="nonsense"))


def test_prices_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch):
    """The setting that the error proposes is one that works."""
    monkeypatch.setenv("COPILOT_MODEL_PRICES", '{"ollama:x": {"input": 0, "output": 0.5}}')
    assert ModelSettings().model_prices["ollama:x"].output == Decimal("0.5")
