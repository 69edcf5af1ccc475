"""Settings of models: which ones, and what they may cost."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from copilot_core.budget import Amount, Limits
from copilot_core.errors import Rejected
from copilot_service.settings import PREFIX
from copilot_workflows.agents.models import DISPATCHER, RESEARCHER, model_named
from copilot_workflows.agents.prices import Price, at_most, price_of
from copilot_workflows.agents.requests import NO_MODEL, CallLimits

Count = Annotated[int, Field(ge=0)]
Usd = Annotated[Decimal, Field(ge=0, max_digits=9, decimal_places=2)]


class ModelSettings(BaseSettings):
    """Which models word explanations, and what they may cost per call, incident and day (UTC) of
    one cluster."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", populate_by_name=True
    )

    dispatcher_model: str = Field(
        DISPATCHER,
        min_length=1,
        description="model that decides whether a deeper look is worth it; none: always",
    )
    researcher_model: str = Field(
        RESEARCHER, min_length=1, description="model that words explanations; none: rules only"
    )
    model_prices: dict[str, Price] = Field(
        {},
        description='JSON, US dollars for a million tokens by name of model: `{"ollama:x":'
        ' {"input": 0, "output": 0}}`; goes before the known prices',
    )
    model_timeout_s: Annotated[float, Field(gt=0, le=30)] = Field(
        28.0,
        description="seconds until the words of the rules stand, both models together;"
        " 2 s below the promise of 30 s are for the log",
    )
    model_call_requests: Annotated[int, Field(ge=1)] = Field(
        6, description="requests of one explanation, both models together"
    )
    model_call_tokens: Annotated[int, Field(ge=1)] = Field(
        120_000, description="tokens of one explanation, both models together"
    )
    model_max_age_s: Annotated[int, Field(ge=60)] = Field(
        1800,
        description="seconds since an event was recorded after which no model is asked about it",
    )
    budget_incident_requests: Count = Field(60, description="requests per incident")
    budget_incident_tokens: Count = Field(1_200_000, description="tokens per incident")
    budget_incident_usd: Usd = Field(Decimal(5), description="US dollars per incident")
    budget_day_requests: Count = Field(300, description="requests per cluster and day")
    budget_day_tokens: Count = Field(6_000_000, description="tokens per cluster and day")
    budget_day_usd: Usd = Field(Decimal(20), description="US dollars per cluster and day")

    @model_validator(mode="after")
    def _a_call_fits(self) -> ModelSettings:
        requests = min(self.budget_incident_requests, self.budget_day_requests)
        tokens = min(self.budget_incident_tokens, self.budget_day_tokens)
        for what, call, budget in (
            ("REQUESTS", self.model_call_requests, requests),
            ("TOKENS", self.model_call_tokens, tokens),
        ):
            if call > budget > 0:
                raise ValueError(
                    f"COPILOT_MODEL_CALL_{what} is {call}: no call fits into a budget of {budget}"
                )
        return self

    @model_validator(mode="after")
    def _each_model_has_a_request(self) -> ModelSettings:
        both = NO_MODEL not in (self.dispatcher_model, self.researcher_model)
        if both and self.model_call_requests < 2:
            raise ValueError(
                f"COPILOT_MODEL_CALL_REQUESTS is {self.model_call_requests}: the dispatcher takes"
                " one, none is left for the researcher"
            )
        return self

    @property
    def asks_a_model(self) -> bool:
        """Whether any model is configured to word explanations."""
        return self.researcher_model != NO_MODEL

    @property
    def call_limits(self) -> CallLimits:
        """What one explanation may use."""
        return CallLimits(
            requests=self.model_call_requests,
            tokens=self.model_call_tokens,
            timeout_s=self.model_timeout_s,
        )

    @property
    def limits(self) -> Limits:
        """What incidents and days may use."""
        return Limits(
            incident=Amount(
                self.budget_incident_requests,
                self.budget_incident_tokens,
                int(self.budget_incident_usd * 1_000_000),
            ),
            day=Amount(
                self.budget_day_requests,
                self.budget_day_tokens,
                int(self.budget_day_usd * 1_000_000),
            ),
        )


def check(settings: ModelSettings) -> None:
    """Tell at the start what would fail later: a name that means no model, a region that is
    missing, a price that nobody knows, a budget of money that no call fits into. Asks no provider
    anything.

    Raises `Rejected` (code `settings`).
    """
    if not settings.asks_a_model:
        return
    names = dict.fromkeys((settings.dispatcher_model, settings.researcher_model))
    asked = [name for name in names if name != NO_MODEL]
    for name in asked:
        model_named(name)
    prices = [price_of(name, settings.model_prices) for name in asked]
    _a_call_is_affordable(at_most(settings.call_limits, *prices), settings.limits)


def _a_call_is_affordable(call: int, limits: Limits) -> None:
    """Raises `Rejected` when every call would be refused for its money; a limit of 0 means that."""
    for scope, budget in (("INCIDENT", limits.incident), ("DAY", limits.day)):
        if call > budget.cost_micro_usd > 0:
            raise Rejected(
                f"a call may cost {_usd(call)}: none fits into a budget of"
                f" {_usd(budget.cost_micro_usd)}",
                code="settings",
                where=f"COPILOT_BUDGET_{scope}_USD",
                todo="raise it, lower COPILOT_MODEL_CALL_TOKENS, or set it to 0 to forbid calls",
            )


def _usd(micro_usd: int) -> str:
    return f"{Decimal(micro_usd).scaleb(-6).normalize():f} USD"
