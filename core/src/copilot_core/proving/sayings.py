"""What a claim lets a text say: the phrases that are true by it, the words for what it is about,
and its figures with the part that each plays.

Theory of operation. A *fact* is a phrase that says what the claim shows, from the tables (a sign, a
mechanism, a cause, a gate, a log pattern): it may stand as it is, or be reworded without its
critical words changing. A *label* names what a figure is of: its words may come in any order,
beside the figure. `_SAYINGS` has a row per kind of claim.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from copilot_core.causes import CAUSE, MECHANISMS
from copilot_core.events import ConfigChanged, HealthTransitioned
from copilot_core.explanation import (
    AbsenceClaim,
    CauseLinkClaim,
    ChangeClaim,
    Claim,
    ComparisonClaim,
    CountClaim,
    HypothesisClaim,
    LinkRole,
    OrderClaim,
    StateClaim,
    ValueClaim,
)
from copilot_core.proving.cause_claims import ranked_cause, rankings
from copilot_core.proving.lexicon import content, words_of
from copilot_core.proving.signal_words import about, log_meaning, more_words, names
from copilot_core.rules import GATES
from copilot_core.signs import SIGN
from copilot_core.values import Scalar, Status
from copilot_core.words.book import Book
from copilot_core.words.phrases import SIGHT


class Part(StrEnum):
    """The part that a figure plays in a claim."""

    VALUE = "value"
    THRESHOLD = "threshold"
    BEFORE = "before"
    AFTER = "after"
    LASTED = "lasted"
    APART = "apart"
    AT = "at"
    SINCE = "since"
    UNTIL = "until"


@dataclass(frozen=True, slots=True)
class Saying:
    """What one claim lets a text say.

    `about` tells what it is about, so that a text may go on about the same. `facts` and `labels`
    are phrases; `words` the canonical words that may be used beside a figure, those of the labels
    and of `more`. `numbers` have a unit, `times` are Unix seconds.
    """

    claim: Claim
    about: str
    facts: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    numbers: tuple[tuple[Part, float, str], ...] = ()
    times: tuple[tuple[Part, int], ...] = ()
    more: tuple[str, ...] = ()
    words: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        known = frozenset(w for text in (*self.labels, *self.more) for w in content(words_of(text)))
        object.__setattr__(self, "words", known)


def saying(claim: Claim, book: Book) -> Saying:
    """What a claim that holds lets a text say."""
    return _SAYINGS[claim.claim](claim, book)


# --- one row per kind of claim ------------------------------------------------------------------


def _value(claim: ValueClaim, book: Book) -> Saying:
    return Saying(
        claim,
        about(claim.signal),
        facts=log_meaning(claim.signal) if claim.value > 0 else (),
        labels=names(claim.signal),
        more=(*more_words(claim.signal), claim.unit),
        numbers=((Part.VALUE, claim.value, claim.unit),),
        times=((Part.AT, claim.at),),
    )


def _comparison(claim: ComparisonClaim, book: Book) -> Saying:
    sign = SIGN.get(claim.signal)
    facts = [sign.says] if sign is not None and sign.comparison == claim.comparison else []
    facts += [f"in the logs {fact}" for fact in facts if sign and sign.signal.startswith("log:")]
    for id_ in claim.events:
        fact = book.fact(id_)
        if fact is not None and isinstance(fact.event, HealthTransitioned):
            facts += _gates_said(fact.event, claim)
    return Saying(
        claim,
        about(claim.signal),
        facts=tuple(facts),
        labels=names(claim.signal),
        more=(*more_words(claim.signal), claim.unit),
        numbers=(
            (Part.VALUE, claim.value, claim.unit),
            (Part.THRESHOLD, claim.threshold, claim.unit),
        ),
        times=((Part.AT, claim.at),),
    )


_GATE_SAYS: Final = MappingProxyType({g.id: g.meaning for g in GATES})
ASSUMED: Final = "this stands on an assumption, the mean of earlier slots"
"""Said of a comparison whose value or threshold was not seen itself."""


def _gates_said(transition: HealthTransitioned, claim: ComparisonClaim) -> Iterable[str]:
    """The meanings of the gates that this comparison made fire, and what was assumed for it."""
    for gate in transition.gates:
        if gate.signal != claim.signal or f"{gate.threshold:.6g}" != f"{claim.threshold:.6g}":
            continue
        if gate.comparison == claim.comparison and gate.id in _GATE_SAYS:
            yield _GATE_SAYS[gate.id]
        if gate.assumed:
            yield ASSUMED


_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_./:-]{0,63}")
"""Text values that may be told: one word. Anything longer is not ours to repeat."""


def spelled_out(value: Scalar | None) -> str | None:
    """How a value that is no number is written; None for a number."""
    match value:
        case None:
            return "unset"
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case _:
            return None


def _change(claim: ChangeClaim, book: Book) -> Saying:
    config = claim.signal.startswith("config:")
    parameter = claim.signal.removeprefix("config:")
    sides = ((Part.BEFORE, claim.before), (Part.AFTER, claim.after))
    spelled = [text for _, v in sides if (text := spelled_out(v)) is not None]
    scalars = [text for text in spelled if _IDENTIFIER.fullmatch(text)]
    return Saying(
        claim,
        f"config:{parameter}" if config else about(claim.signal),
        labels=(parameter, *scalars, claim.unit, "configuration parameter")
        if config
        else names(claim.signal),
        more=("set reset changed configuration config", claim.unit)
        if config
        else more_words(claim.signal),
        numbers=tuple(
            (part, float(v), claim.unit)
            for part, v in sides
            if isinstance(v, int | float) and not isinstance(v, bool)
        ),
        times=((Part.SINCE, claim.from_at), (Part.UNTIL, claim.to_at), (Part.AT, claim.to_at)),
    )


def _order(claim: OrderClaim, book: Book) -> Saying:
    first, then = book.fact(claim.first), book.fact(claim.then)
    facts: list[str] = []
    if first is None or then is None:
        return Saying(claim, "order")
    if any(first.at == f.event.since for f in rankings(book)):
        facts += ["the trouble was first seen", "the trouble began", "the trouble started"]
        facts += ["the first sign of trouble was seen", "the first sign of trouble"]
    ends = isinstance(then.event, HealthTransitioned) and then.event.to is Status.HAPPY
    begins = isinstance(first.event, HealthTransitioned) and first.event.to is not Status.HAPPY
    if begins and ends:
        facts += [f"the incident of cluster {book.cluster}", "the incident", "the incident lasted"]
    if isinstance(first.event, ConfigChanged) and len(first.event.changes) > 1:
        facts += ["other parameters were changed with it"]
    return Saying(
        claim,
        "order",
        facts=tuple(facts),
        numbers=((Part.APART, float(claim.seconds), "s"),),
        times=(
            (Part.AT, first.at),
            (Part.SINCE, first.at),
            (Part.UNTIL, then.at),
        ),
    )


SUBJECT_WORDS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "status": frozenset({"status", "health"}),
        "evidence": frozenset({"evidence", "sight"}),
        "band": frozenset({"band", "scale", "size"}),
        "bottleneck": frozenset({"bottleneck"}),
    }
)
"""What has states, as it is called: said of one, they are not of another."""


def _state(claim: StateClaim, book: Book) -> Saying:
    end = book.slot if claim.until is None else claim.until
    service = claim.subject.removeprefix("service:") if claim.subject.startswith("service:") else ""
    facts = [SIGHT[claim.state]] if claim.subject == "evidence" and claim.state in SIGHT else []
    times = [(Part.SINCE, claim.since), (Part.AT, claim.since)]
    if claim.until is not None:
        times.append((Part.UNTIL, claim.until))
    return Saying(
        claim,
        f"state:{claim.subject}",
        facts=tuple(facts),
        labels=(claim.state,),
        more=(*sorted(SUBJECT_WORDS.get(claim.subject, ())), f"{service} progress service"),
        numbers=((Part.LASTED, float(end - claim.since), "s"),),
        times=tuple(times),
    )


_EVENT_WORDS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "ConfigChanged": (
            "change of configuration", "configuration change", "changes of configuration",
            "first configuration of the cluster", "configuration was changed",
        ),
        "DeploymentRecorded": ("deployment", "deployments", "deploy was recorded"),
        "HealthTransitioned": ("change of status", "status changes", "transitions of status"),
        "SightLost": ("loss of sight", "times that sight was lost"),
        "SightRegained": ("regained sight",),
        "ServiceHealthChanged": ("change of service health",),
        "LogPatternSurged": ("surge of a log pattern",),
        "SampleRecorded": ("sample", "samples"),
        "SampleDropped": ("late sample", "late samples"),
    }
)  # fmt: skip


_NEVER: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "ConfigChanged": ("the configuration was not changed", "configuration was not changed"),
        "DeploymentRecorded": ("nothing was deployed",),
        "HealthTransitioned": ("the status did not change",),
    }
)
"""What a count of none says, where that has words of its own."""


def _count(claim: CountClaim, book: Book) -> Saying:
    kind, _, what = claim.of.partition(":")
    log = kind == "log"
    times = [(Part.SINCE, claim.from_at), (Part.UNTIL, claim.to_at)]
    if claim.from_at == claim.to_at:
        times.append((Part.AT, claim.to_at))
    return Saying(
        claim,
        f"count:{claim.of}",
        facts=log_meaning(claim.of) if claim.count else _NEVER.get(what, ()),
        labels=names(claim.of) if log else _EVENT_WORDS.get(what, ()),
        more=more_words(claim.of) if log else ("recorded events event times",),
        numbers=(
            (Part.VALUE, float(claim.count), "lines" if log else "events"),
            (Part.LASTED, float(claim.to_at - claim.from_at), "s"),
        ),
        times=tuple(times),
    )


def _absence(claim: AbsenceClaim, book: Book) -> Saying:
    return Saying(
        claim,
        about(claim.signal),
        facts=(claim.reason, f"there was {claim.reason}"),
        labels=names(claim.signal),
        more=(*more_words(claim.signal), "signal report reports reporting"),
        times=((Part.AT, claim.at),),
    )


def _cause_words(component: str, kind: str) -> tuple[str, ...]:
    row = CAUSE.get(f"{component}/{kind}")
    if row is None:
        return ()
    return (row.says, row.key, f"{component} {kind}".replace("_", " "))


def step_of(claim: CauseLinkClaim) -> int | None:
    """Where a link is on the way from the cause (0) to what users feel; None for evidence."""
    if claim.role is LinkRole.MECHANISM:
        row = CAUSE[f"{claim.component}/{claim.kind}"]
        return 1 + row.path.index(claim.link)
    return 0 if claim.role is LinkRole.NEEDS and not claim.link else None


def _cause_link(claim: CauseLinkClaim, book: Book) -> Saying:
    found = ranked_cause(claim, book)
    facts = _cause_words(claim.component, claim.kind) if not claim.link else ()
    if claim.role is LinkRole.MECHANISM:
        facts = (MECHANISMS[claim.link],)
    elif claim.link in SIGN:
        facts = (SIGN[claim.link].says,)
    numbers: tuple[tuple[Part, float, str], ...] = ()
    times: list[tuple[Part, int]] = []
    if found is not None and not claim.link:
        numbers = ((Part.VALUE, found[1].score, "ratio"),)
        times = [(Part.SINCE, found[1].since), (Part.AT, found[2].slot)]
    return Saying(
        claim,
        f"cause:{claim.component}/{claim.kind}",
        facts=facts,
        more=("score",) if numbers else (),
        numbers=numbers,
        times=tuple(times),
    )


def _hypothesis(claim: HypothesisClaim, book: Book) -> Saying:
    named = [(claim.component, claim.kind)] if claim.kind else []
    for fact in rankings(book):
        for open_ in fact.event.cannot_tell:
            if (open_.component, open_.kind) in named and open_.rather_than:
                component, _, kind = open_.rather_than.partition("/")
                named.append((component, kind))
    facts = [text for pair in named for text in _cause_words(*pair)]
    row = CAUSE.get(f"{claim.component}/{claim.kind}")
    facts += [MECHANISMS[m] for m in (row.path if row else ())]
    return Saying(claim, f"cause:{claim.component}/{claim.kind}", facts=tuple(facts))


_SAYINGS: Final[Mapping[str, Callable[[Any, Book], Saying]]] = MappingProxyType(
    {
        "value": _value,
        "comparison": _comparison,
        "change": _change,
        "order": _order,
        "state": _state,
        "count": _count,
        "absence": _absence,
        "cause_link": _cause_link,
        "hypothesis": _hypothesis,
    }
)


def events_of(claim: Claim) -> frozenset[UUID]:
    """The events that a claim names."""
    return frozenset(claim.events)
