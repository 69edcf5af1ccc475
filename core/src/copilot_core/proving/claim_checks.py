"""Claims recomputed: each kind of claim against the facts of the book that it cites.

Theory of operation. A claim holds when every event that it names is in the book, those events show
what it says, and what it says comes out again from the log: number, unit, direction, order, state,
time. `CHECKS` has a row per kind of claim; each returns the reason why a claim does not hold, or
None. Nothing is believed because it is plausible, and what the book cannot tell does not hold.
Reasons are a closed list: they hold no word of whoever made the claim, because they go into the
log.

Numbers are compared to six digits that count: readings are recorded so, and the figures of gates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from copilot_core.events import (
    EVENT_TYPES,
    CausesRanked,
    ConfigChanged,
    Event,
    HealthTransitioned,
    LogSampleRecorded,
    SampleRecorded,
    SightLost,
    SightRegained,
    SignSeen,
)
from copilot_core.explanation import (
    AbsenceClaim,
    ChangeClaim,
    Claim,
    ComparisonClaim,
    CountClaim,
    Direction,
    OrderClaim,
    StateClaim,
    ValueClaim,
)
from copilot_core.proving.cause_claims import cause_link, hypothesis
from copilot_core.readings import Missing
from copilot_core.values import Scalar
from copilot_core.words.book import Book, Fact, lines_of, unit_of
from copilot_core.words.stretches import Stretch, stretches


def failing(claim: Claim, book: Book) -> str | None:
    """Why a claim does not hold in this book; None when it does."""
    for id_ in claim.events:
        if book.fact(id_) is None:
            return "an event is cited that is not known at that time"
    return CHECKS[claim.claim](claim, book)


def _cited(claim: Claim, book: Book) -> list[Fact[Event]]:
    return [fact for id_ in claim.events if (fact := book.fact(id_)) is not None]


def same(a: float, b: float) -> bool:
    """Whether two numbers agree to six digits that count."""
    return f"{a:.6g}" == f"{b:.6g}"


# --- numbers ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Read:
    """One number that a fact shows: of what, in which unit, when; with its threshold if it has
    one."""

    names: tuple[str, ...]
    value: float
    unit: str
    at: int
    threshold: float | None = None


def reads(fact: Fact[Event]) -> Iterator[Read]:
    """The numbers that rules compared and wrote into an event."""
    match fact.event:
        case HealthTransitioned() as event:
            for gate in event.gates:
                yield Read((gate.signal,), gate.value, gate.unit, event.slot, gate.threshold)
        case CausesRanked() as event:
            for sign in signs_of(event):
                names = (sign.id, sign.signal)
                yield Read(names, sign.value, sign.unit, sign.at, sign.threshold)


def signs_of(ranking: CausesRanked) -> Iterator[SignSeen]:
    """Every sign that a ranking rests on."""
    for cause in ranking.causes:
        yield from cause.evidence
        yield from cause.against


def _shows(fact: Fact[Event], book: Book, name: str, value: float, unit: str, at: int) -> bool:
    """Whether a fact shows that `name` read `value` at `at`."""
    if any(
        name in r.names and r.unit == unit and r.at == at and same(r.value, value)
        for r in reads(fact)
    ):
        return True
    sampled = isinstance(
        fact.event, LogSampleRecorded if name.startswith("log:") else SampleRecorded
    )
    if not sampled or fact.at != at or unit != unit_of(name):
        return False
    number = book.number(name, at)
    return number is not None and same(number, value)


def _value(claim: ValueClaim, book: Book) -> str | None:
    facts = _cited(claim, book)
    if facts and all(
        _shows(f, book, claim.signal, claim.value, claim.unit, claim.at) for f in facts
    ):
        return None
    return "value: it did not read this then"


def _comparison(claim: ComparisonClaim, book: Book) -> str | None:
    facts = _cited(claim, book)
    if (claim.value < claim.threshold) != (claim.comparison == "<"):
        return "comparison: it is on the other side"
    for fact in facts:
        if not any(
            claim.signal in r.names
            and (r.unit, r.at) == (claim.unit, claim.at)
            and same(r.value, claim.value)
            and r.threshold is not None
            and same(r.threshold, claim.threshold)
            for r in reads(fact)
        ):
            return "comparison: nobody compared it like this"
    return None if facts else "comparison: nothing is cited"


def _direction(before: Scalar | None, after: Scalar | None) -> Direction:
    numbers = [v for v in (before, after) if isinstance(v, (int, float))]
    if len(numbers) < 2 or numbers[0] == numbers[1]:
        return Direction.SAME
    return Direction.ROSE if numbers[1] > numbers[0] else Direction.FELL


def _change(claim: ChangeClaim, book: Book) -> str | None:
    if claim.direction is not _direction(claim.before, claim.after):
        return "change: it went another way"
    if claim.signal.startswith("config:"):
        return _parameter_change(claim, book)
    if claim.from_at >= claim.to_at:
        return "change: it ends before it begins"
    facts, shown = _cited(claim, book), set[int]()
    for value, at in ((claim.before, claim.from_at), (claim.after, claim.to_at)):
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return "change: it has no such values"
        shown |= {
            i
            for i, f in enumerate(facts)
            if f.at == at and _shows(f, book, claim.signal, value, claim.unit, at)
        }
        if not any(facts[i].at == at for i in sorted(shown)):
            return "change: it did not read this then"
    return None if len(shown) == len(facts) else "change: an event is cited that does not show it"


def _parameter_change(claim: ChangeClaim, book: Book) -> str | None:
    parameter = claim.signal.removeprefix("config:")
    facts = _cited(claim, book)
    for fact in facts:
        changes = fact.event.changes if isinstance(fact.event, ConfigChanged) else ()
        if not any(
            c.parameter == parameter
            and _identical(c.before, claim.before)
            and _identical(c.after, claim.after)
            and c.unit == claim.unit
            and claim.from_at == claim.to_at == fact.at
            for c in changes
        ):
            return "change: the parameter was not changed like this"
    return None if facts else "change: nothing is cited"


def _identical(a: Scalar | None, b: Scalar | None) -> bool:
    """1, 1.0 and true are three values."""
    return type(a) is type(b) and a == b


# --- order, states, counts, absence -------------------------------------------------------------


def _order(claim: OrderClaim, book: Book) -> str | None:
    first, then = book.fact(claim.first), book.fact(claim.then)
    if first is None or then is None:
        return "order: an event is not known at that time"
    if {claim.first, claim.then} != set(claim.events):
        return "order: it cites other events than it orders"
    if then.at - first.at != claim.seconds:
        return "order: the second came at another time after the first"
    if first.stream == then.stream and first.version > then.version:
        return "order: the second was decided before the first"
    return None


def _state(claim: StateClaim, book: Book) -> str | None:
    found = stretch_of(claim, book)
    if found is None:
        return "state: it was not in this state then"
    facts = _cited(claim, book)
    end = book.slot if found.until is None else found.until
    if not any(f.at == found.since for f in facts):
        return "state: no event is cited that shows when it began"
    if not all(found.since <= f.at <= end for f in facts):
        return "state: an event is cited from another time"
    return None


def stretch_of(claim: StateClaim, book: Book) -> Stretch | None:
    """The stretch that a claim is about, exactly; None when there is none."""
    for stretch in stretches(book, claim.subject):
        if (stretch.state, stretch.since, stretch.until) == (
            claim.state,
            claim.since,
            claim.until,
        ):
            return stretch
    return None


def _count(claim: CountClaim, book: Book) -> str | None:
    if claim.from_at > claim.to_at or claim.to_at > book.slot:
        return "count: its time is not that of the book"
    kind, _, what = claim.of.partition(":")
    match kind:
        case "log" if book.counts_lines(claim.of):
            counted = _lines(what, claim, book)
        case "event":
            counted = _events(what, claim, book)
        case _:
            return "count: this cannot be counted"
    if counted is None:
        return "count: not all of that time is known"
    total, ids = counted
    if total != claim.count:
        return "count: it occurred another number of times"
    facts = _cited(claim, book)
    if not facts or (total and any(f.id not in ids for f in facts)):
        return "count: an event is cited that does not show it"
    return None


def _lines(what: str, claim: CountClaim, book: Book) -> tuple[int, frozenset[UUID]] | None:
    """Lines of a pattern in a time, and the samples that have some; None where sight lacked."""
    facts = book.all(LogSampleRecorded)
    if not _complete(facts, claim.from_at):
        return None
    total, ids = 0, set[UUID]()
    for fact in facts:
        if not claim.from_at <= fact.at <= claim.to_at:
            continue
        counts = fact.event.counts
        if counts is None:
            return None
        n = lines_of(what, counts)
        total += n
        if n:
            ids.add(fact.id)
    return total, frozenset(ids)


def _events(what: str, claim: CountClaim, book: Book) -> tuple[int, frozenset[UUID]] | None:
    type_ = EVENT_TYPES.get(what)
    if type_ is None or type_.stream_kind not in ("health", "logs", "config"):
        return None
    stream = [f for f in book.facts if f.stream.startswith(f"{type_.stream_kind}/")]
    if type_.stream_kind != "config" and not _complete(stream, claim.from_at):
        return None
    ids = frozenset(f.id for f in stream if f.is_a(type_) and claim.from_at <= f.at <= claim.to_at)
    return len(ids), ids


def _complete(facts: tuple[Fact[Any], ...] | list[Fact[Any]], from_at: int) -> bool:
    """Whether the book has everything of a stream from a time on."""
    return bool(facts) and (facts[0].version == 1 or facts[0].at <= from_at)


def _absence(claim: AbsenceClaim, book: Book) -> str | None:
    facts = _cited(claim, book)
    if claim.reason not in {m.value for m in Missing}:
        return "absence: this is no reason"
    if facts and all(_shows_absence(f, claim, book) for f in facts):
        return None
    return "absence: it was not missing like this"


ALL_LOGS: Final = "log:*/*"
"""The logs of all services, with whatever stands in them: they may be unread, and are not
counted."""


def _shows_absence(fact: Fact[Event], claim: AbsenceClaim, book: Book) -> bool:
    if fact.at != claim.at:
        return False
    match fact.event:
        case SampleRecorded():
            return book.reading(claim.signal, fact.at) == claim.reason
        case SightLost() | SightRegained() as event:
            return event.missing.get(claim.signal) == claim.reason
        case CausesRanked() as event:
            return any(
                (c.signal, c.missing) == (claim.signal, claim.reason) for c in event.cannot_tell
            )
        case LogSampleRecorded() as event:
            named = claim.signal == ALL_LOGS or book.counts_lines(claim.signal)
            return named and event.missing == claim.reason
    return False


CHECKS: Final[Mapping[str, Callable[[Any, Book], str | None]]] = MappingProxyType(
    {
        "value": _value,
        "comparison": _comparison,
        "change": _change,
        "order": _order,
        "state": _state,
        "count": _count,
        "absence": _absence,
        "cause_link": cause_link,
        "hypothesis": hypothesis,
    }
)
"""By kind of claim."""
