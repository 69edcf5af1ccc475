"""Explanations: sentences made of text and of typed claims that the log can prove.

Theory of operation. Nobody is believed, neither our own templates nor a model. A *sentence* is text
plus the claims it makes; a *claim* says one thing about the log, names the events that show it, and
can be recomputed from them (`copilot_core.proving.proof`). Text that says more than its claims is
cut.

    value        a signal, quantity or sign had this number at this slot
    comparison   it was on this side of this threshold
    change       it went from one number to another, or a parameter was set to another value
    order        one event came this long before another
    state        a status, evidence, band, bottleneck or service was in this state since then
    count        a log pattern, or a type of event, occurred this often
    absence      a signal could not be read, for this reason
    cause_link   this cause leads to this mechanism or sign: in the closed graph and in this ranking
    hypothesis   a cause that the ranking knows of may be at work; nobody proved it, and it says so

The same schema holds what rules wrote and what a model wrote. The next step is the rules' alone: a
model never writes it.

Times are Unix seconds (slots) in claims and `HH:MM:SS UTC` in text.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import Field

from copilot_core.values import Model, Scalar, Text

MAX_SENTENCE_CHARS: Final = 400
MAX_CLAIMS: Final = 12
"""Claims of one sentence at the most: one that needs more is not short."""
MAX_SENTENCES: Final = 12
"""Sentences of one part at the most."""
MAX_CAUSES: Final = 6

Name = Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")]
Number = Annotated[float, Field(allow_inf_nan=False)]
Slot = Annotated[int, Field(ge=0, lt=2**53)]


class Direction(StrEnum):
    """Which way something changed."""

    ROSE = "rose"
    FELL = "fell"
    SAME = "same"


class LinkRole(StrEnum):
    """What a cause link claims of the sign or the mechanism that it names."""

    NEEDS = "needs"
    SUPPORTS = "supports"
    AGAINST = "against"
    MECHANISM = "mechanism"


class _Claim(Model):
    """`events` are the ids of the events that show it."""

    events: Annotated[tuple[UUID, ...], Field(max_length=8)]


class ValueClaim(_Claim):
    """`signal` (a signal, a quantity, or `log:<service>/<pattern>`) read `value` at `at`."""

    claim: Literal["value"] = "value"
    signal: Name
    value: Number
    unit: Name
    at: Slot


class ComparisonClaim(_Claim):
    """`signal` read `value` at `at`, which was `<` or `>=` the threshold that rules hold it to."""

    claim: Literal["comparison"] = "comparison"
    signal: Name
    value: Number
    comparison: Literal["<", ">="]
    threshold: Number
    unit: Name
    at: Slot


class ChangeClaim(_Claim):
    """`signal` read `before` at `from_at` and `after` at `to_at`.

    `config:<parameter>` names a parameter of the configuration: its values may be of any type, and
    both times are that of the change.
    """

    claim: Literal["change"] = "change"
    signal: Name
    before: Scalar | None
    after: Scalar | None
    unit: Name
    direction: Direction
    from_at: Slot
    to_at: Slot


class OrderClaim(_Claim):
    """Event `first` was `seconds` before event `then`, in event time; 0 for the same slot."""

    claim: Literal["order"] = "order"
    first: UUID
    then: UUID
    seconds: Annotated[int, Field(ge=0)]


class StateClaim(_Claim):
    """`subject` was in `state` from `since` to `until`; `until` is null while it still was.

    Subjects: `status`, `evidence`, `band`, `bottleneck`, `service:<name>` (its progress).
    """

    claim: Literal["state"] = "state"
    subject: Name
    state: Name
    since: Slot
    until: Slot | None = None


class CountClaim(_Claim):
    """`of` occurred `count` times from `from_at` to `to_at`, both included.

    `of` is `log:<service>/<pattern>` or `event:<type>`.
    """

    claim: Literal["count"] = "count"
    of: Name
    count: Annotated[int, Field(ge=0)]
    from_at: Slot
    to_at: Slot


class AbsenceClaim(_Claim):
    """`signal` could not be read at `at`; `reason` is the value of a `Missing`."""

    claim: Literal["absence"] = "absence"
    signal: Name
    reason: Name
    at: Slot


class CauseLinkClaim(_Claim):
    """The cause is in the ranking that `events` names, and the graph links it to `link`.

    `link` is the id of a sign or of a mechanism, as `role` says; empty for the cause itself.
    """

    claim: Literal["cause_link"] = "cause_link"
    component: Name
    kind: Name
    role: LinkRole
    link: Name = ""


class HypothesisClaim(_Claim):
    """A cause that nobody proved: the sentence is shown as a hypothesis, whatever else it says.

    `component` and `kind` name a cause that the ranking knows of. Beside it the text may only say
    what the cause does; with neither, nothing but what other claims bear.
    """

    claim: Literal["hypothesis"] = "hypothesis"
    component: Name = ""
    kind: Name = ""


Claim = Annotated[
    ValueClaim
    | ComparisonClaim
    | ChangeClaim
    | OrderClaim
    | StateClaim
    | CountClaim
    | AbsenceClaim
    | CauseLinkClaim
    | HypothesisClaim,
    Field(discriminator="claim"),
]


class Sentence(Model):
    """Text that may be shown, and what it claims."""

    text: Annotated[Text, Field(min_length=1, max_length=MAX_SENTENCE_CHARS)]
    claims: Annotated[tuple[Claim, ...], Field(max_length=MAX_CLAIMS)] = ()

    @property
    def hypothesis(self) -> bool:
        """Whether it has to be shown as a hypothesis."""
        return any(isinstance(c, HypothesisClaim) for c in self.claims)


Sentences = Annotated[tuple[Sentence, ...], Field(max_length=MAX_SENTENCES)]


class CauseTold(Model):
    """What is said of one cause: what it is first, then its evidence."""

    component: Name
    kind: Name
    sentences: Sentences


class Draft(Model):
    """What a model may write: every part but the next step."""

    headline: Sentence
    since: Sentences
    certainty: Sentences
    causes: Annotated[tuple[CauseTold, ...], Field(max_length=MAX_CAUSES)]
    path: Sentences
    changed_before: Sentences
    not_seen: Sentences


class NextStep(Model):
    """The safe next step. From the table of causes, never from a model.

    `runbook` is the name of a page of `docs/rag/`, empty where nothing has to be done. `rules` are
    worker scaling rules that hold now.
    """

    action: Text
    runbook: Text = ""
    rules: tuple[Text, ...] = ()


class Explanation(Draft):
    """Everything that is said of a transition, an incident or a state.

    `headline` what is the matter, in one sentence; `since` since when and what led there;
    `certainty` how sure this is, why, and what cannot be told; `causes` likeliest first; `path`
    from the likeliest cause to what users feel, step by step; `changed_before` configuration,
    deployments and membership; `not_seen` what could not be seen.
    """

    next_step: NextStep
