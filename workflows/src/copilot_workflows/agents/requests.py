"""What goes into the composition of an explanation and what comes out: plain models, payloads of
Temporal.

An *answer* is what a model may write: the draft of an explanation in which events have short
*handles* instead of ids (`agents.handles`) and each claim is one flat object. It is parsed claim by
claim: a malformed claim costs its sentence and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from copilot_core.explanation import (
    MAX_CAUSES,
    MAX_CLAIMS,
    MAX_SENTENCE_CHARS,
    MAX_SENTENCES,
    AbsenceClaim,
    CauseLinkClaim,
    ChangeClaim,
    Claim,
    ComparisonClaim,
    CountClaim,
    HypothesisClaim,
    OrderClaim,
    StateClaim,
    ValueClaim,
)
from copilot_core.values import Model, Scalar, Sha256

NO_MODEL: Final = "none"
"""The name of a model that stands for none."""


CLAIMS: Final[Mapping[str, type[Claim]]] = MappingProxyType(
    {
        "value": ValueClaim,
        "comparison": ComparisonClaim,
        "change": ChangeClaim,
        "order": OrderClaim,
        "state": StateClaim,
        "count": CountClaim,
        "absence": AbsenceClaim,
        "cause_link": CauseLinkClaim,
        "hypothesis": HypothesisClaim,
    }
)
"""The claims that an answer may make, by the word that says which."""


class TextKind(StrEnum):
    """Which text is composed; names the event that it becomes."""

    TRANSITION = "transition"
    INCIDENT = "incident"
    STATE = "state"


class Reason(StrEnum):
    """Why the words of the rules stand although a model is configured; label of a counter."""

    NOT_WORTH_IT = "not_worth_it"
    BUDGET = "budget"
    ALREADY_ASKED = "already_asked"
    TIMEOUT = "timeout"
    PROVIDER = "provider"
    UNUSABLE = "unusable"
    TOO_LARGE = "too_large"
    LIMIT = "limit"
    NOTHING_PROVEN = "nothing_proven"
    EVENT_GONE = "event_gone"
    TOO_OLD = "too_old"


STANDS_BECAUSE: Final[Mapping[Reason, str]] = MappingProxyType(
    {
        Reason.NOT_WORTH_IT: "the dispatcher saw nothing that better words would add",
        Reason.BUDGET: "the budget for models is used up",
        Reason.ALREADY_ASKED: "a model was asked about the same evidence before",
        Reason.TIMEOUT: "the model did not answer in time",
        Reason.PROVIDER: "the model could not be reached or refused the request",
        Reason.UNUSABLE: "the model's answer was not in the form that was asked for",
        Reason.TOO_LARGE: "the model's answer was too large",
        Reason.LIMIT: "the model used more requests or tokens than one call may",
        Reason.NOTHING_PROVEN: "the log backs no sentence of the model's answer",
        Reason.EVENT_GONE: "the explained event is no longer in the log",
        Reason.TOO_OLD: "the event was recorded too long ago to ask a model about it",
    }
)
"""What an explanation says of it; a budget that refuses adds which limit it was."""


class CallLimits(Model):
    """What one composition may use at the most, all requests to both models together."""

    requests: Annotated[int, Field(ge=1)] = 6
    tokens: Annotated[int, Field(ge=1)] = 150_000
    timeout_s: Annotated[float, Field(gt=0, le=30)] = 30.0


class ComposeRequest(Model):
    """Everything that the agents are told; made by `agents.evidence.request_of`.

    `explains` is the event that is explained and `as_of` its slot: tools show nothing later.
    `evidence` has passed the guard. `pages` are the runbooks that may be asked for: name and title.
    """

    cluster: str
    explains: UUID
    as_of: int
    kind: TextKind
    dispatcher_model: str
    researcher_model: str
    evidence: str
    pages: tuple[tuple[str, str], ...] = ()
    limits: CallLimits = CallLimits()


class Loose(BaseModel):
    """A shape that a model fills: unknown fields are left aside instead of refused."""

    model_config = ConfigDict(frozen=True, extra="ignore")


def _each(items: object, whole: ValidatorFunctionWrapHandler) -> list[object]:
    """The items of a list that are what they should be: one that is not costs itself alone."""
    if not isinstance(items, list):
        return whole(items)
    kept: list[object] = []
    for item in items:
        with suppress(ValidationError):
            kept += whole([item])
    return kept


Each = WrapValidator(_each)


class Dispatch(Loose):
    """The dispatcher's answer.

    `deeper` tells whether a stronger model should word the explanation; `pages` are names of
    runbooks that it should read first; `signals` are signals whose course it should look at.
    """

    deeper: bool
    pages: list[str] = []
    signals: list[str] = []


class AnswerClaim(Loose):
    """One claim. `claim` says which; only the fields of that claim are filled, as in the evidence.

    `events`, `first` and `then` are handles of events. Times are Unix seconds.
    """

    claim: Literal[
        "value",
        "comparison",
        "change",
        "order",
        "state",
        "count",
        "absence",
        "cause_link",
        "hypothesis",
    ]
    events: list[str] = []
    signal: str | None = None
    value: float | None = None
    unit: str | None = None
    at: int | None = None
    comparison: str | None = None
    threshold: float | None = None
    before: Scalar | None = None
    after: Scalar | None = None
    direction: str | None = None
    from_at: int | None = None
    to_at: int | None = None
    first: str | None = None
    then: str | None = None
    seconds: int | None = None
    subject: str | None = None
    state: str | None = None
    since: int | None = None
    until: int | None = None
    of: str | None = None
    count: int | None = None
    reason: str | None = None
    component: str | None = None
    kind: str | None = None
    role: str | None = None
    link: str | None = None


class AnswerSentence(Loose):
    """One short sentence and the claims that it makes. Lengths are told, not enforced here: a
    sentence that is too long costs itself and not the whole answer."""

    text: Annotated[str, Field(description=f"at most {MAX_SENTENCE_CHARS} characters")]
    claims: Annotated[list[AnswerClaim], Each, Field(description=f"at most {MAX_CLAIMS}")] = []


AnswerSentences = Annotated[
    list[AnswerSentence], Each, Field(description=f"at most {MAX_SENTENCES} sentences")
]


class AnswerCause(Loose):
    """What is said of one cause of the ranking."""

    component: str
    kind: str
    sentences: AnswerSentences = []


class Answer(Loose):
    """The researcher's answer: the parts of an explanation but its next step."""

    headline: AnswerSentence
    since: AnswerSentences = []
    certainty: AnswerSentences = []
    causes: Annotated[list[AnswerCause], Each, Field(description=f"at most {MAX_CAUSES}")] = []
    path: AnswerSentences = []
    changed_before: AnswerSentences = []
    not_seen: AnswerSentences = []


class Used(Model):
    """What one model used."""

    model: str
    requests: int
    input_tokens: int
    output_tokens: int


class Composed(Model):
    """What came of it: an answer, not yet proven, or the reason why there is none.

    `model` worded the answer; `used` has a row for each model that was asked. `certain` is false
    when a request was made whose use is unknown: it counts as everything that was reserved.
    """

    answer: Answer | None
    reason: Reason | None
    used: tuple[Used, ...] = ()
    certain: bool = True
    model: str
    prompt_version: str


class CallWish(Model):
    """A call that a workflow wants to make; `agents.prices` says what it may cost at the most.

    `call` is the same for every retry and replay: the id of the workflow. `at` is now, by the clock
    of the activity that asks. `incident` is the first slot of the trouble (the slot itself
    where there is none).
    """

    cluster: str
    call: str
    at: int
    incident: Annotated[int, Field(gt=0)]
    signature: Sha256
    model: str
    requests: int
    tokens: int
    cost_micro_usd: int
