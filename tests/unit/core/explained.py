"""Books of the recorded incidents, and true claims about them to write sentences with."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Final

from copilot_core.errors import Defect
from copilot_core.events import (
    ConfigChange,
    ConfigChanged,
    HealthTransitioned,
    NewEvent,
    new_event,
)
from copilot_core.explanation import (
    AbsenceClaim,
    CauseLinkClaim,
    ChangeClaim,
    Claim,
    ComparisonClaim,
    CountClaim,
    Direction,
    HypothesisClaim,
    LinkRole,
    OrderClaim,
    StateClaim,
    ValueClaim,
)
from copilot_core.proving.cause_claims import rankings
from copilot_core.proving.claim_checks import signs_of
from copilot_core.readings import Missing
from copilot_core.words.book import Book, book_of, unit_of
from copilot_core.words.stretches import stretches
from tests.unit.projections.recorded import RECORDINGS, folded

NAMES: Final = tuple(sorted(p.name.removesuffix(".jsonl.gz") for p in RECORDINGS.glob("*.gz")))
EXPLAINED: Final = ("HealthTransitioned", "CausesRanked")


@cache
def books(name: str) -> tuple[Book, ...]:
    """The book of each event of a recording that gets an explanation."""
    events = folded(name)
    return tuple(_book(events, e) for e in events if e.type in EXPLAINED)


def _book(events: tuple[NewEvent, ...], event: NewEvent) -> Book:
    return book_of(events, cluster=event.stream.partition("/")[2], explains=event.event_id)


def book(name: str, to: str) -> Book:
    """The book of the last transition of a recording to a status."""
    found = [
        b
        for b in books(name)
        if isinstance(b.explained.event, HealthTransitioned) and b.explained.event.to == to
    ]
    return found[-1]


def claim(spec: str, book: Book) -> Claim:
    """A true claim: `gate:<signal>`, `sign:<id>`, `value:<signal>`, `status`, `cause` and so on.

    Raises `Defect` where the book has no such thing: the sentence that needs it has to change.
    """
    kind, _, what = spec.partition(":")
    for found in _CLAIMS[kind](what, book):
        return found
    raise Defect(f"{book.cluster}: nothing to claim for {spec}")


def _gate(signal: str, book: Book) -> Iterator[Claim]:
    event = book.explained.event
    for gate in event.gates if isinstance(event, HealthTransitioned) else ():
        if gate.signal == signal:
            yield ComparisonClaim(
                signal=signal,
                value=gate.value,
                comparison="<" if gate.value < gate.threshold else ">=",
                threshold=gate.threshold,
                unit=gate.unit,
                at=book.slot,
                events=(book.explains,),
            )


def _sign(id_: str, book: Book) -> Iterator[Claim]:
    for fact in rankings(book):
        for sign in signs_of(fact.event):
            if sign.id == id_:
                yield ComparisonClaim(
                    signal=id_,
                    value=sign.value,
                    comparison="<" if sign.comparison == "<" else ">=",
                    threshold=sign.threshold,
                    unit=sign.unit,
                    at=sign.at,
                    events=(fact.id,),
                )


def _value(name: str, book: Book) -> Iterator[Claim]:
    number, sample, unit = book.number(name, book.slot), book.sample(book.slot), unit_of(name)
    if number is not None and sample is not None and unit is not None:
        yield ValueClaim(signal=name, value=number, unit=unit, at=book.slot, events=(sample.id,))


def _state(subject: str, back: int, book: Book) -> Iterator[Claim]:
    found = stretches(book, subject)[-1 - back]
    yield StateClaim(
        subject=subject,
        state=found.state,
        since=found.since,
        until=found.until,
        events=(found.shown_by,),
    )


def _link(role: LinkRole, link: str, book: Book, *, place: int = 0) -> Iterator[Claim]:
    for fact in rankings(book):
        for cause in fact.event.causes[place : place + 1]:
            yield CauseLinkClaim(
                component=cause.component,
                kind=cause.kind,
                role=role,
                link=link,
                events=(fact.id,),
            )


def _absence(signal: str, book: Book) -> Iterator[Claim]:
    sample, value = book.sample(book.slot), book.reading(signal, book.slot)
    if sample is not None and isinstance(value, Missing):
        yield AbsenceClaim(signal=signal, reason=value, at=book.slot, events=(sample.id,))


def _change(signal: str, book: Book) -> Iterator[Claim]:
    """From the last different number to that of the slot."""
    now, last = book.number(signal, book.slot), book.sample(book.slot)
    for sample in reversed(book.samples):
        was = book.number(signal, sample.at)
        if last is None or now is None or was is None or was == now:
            continue
        yield ChangeClaim(
            signal=signal,
            before=was,
            after=now,
            unit=unit_of(signal) or "",
            direction=Direction.ROSE if now > was else Direction.FELL,
            from_at=sample.at,
            to_at=book.slot,
            events=(sample.id, last.id),
        )


def _count(of: str, book: Book) -> Iterator[Claim]:
    yield CountClaim(
        of=of, count=0, from_at=book.samples[0].at, to_at=book.slot, events=(book.explains,)
    )


def _began(_: str, book: Book) -> Iterator[Claim]:
    for fact in rankings(book):
        first = book.sample(fact.event.since)
        if first is not None:
            yield OrderClaim(
                first=first.id,
                then=book.explains,
                seconds=book.slot - first.at,
                events=(first.id, book.explains),
            )


def _hypothesis(_: str, book: Book) -> Iterator[Claim]:
    for fact in rankings(book):
        for cause in fact.event.causes:
            yield HypothesisClaim(component=cause.component, kind=cause.kind, events=(fact.id,))


_CLAIMS: Final = {
    "gate": _gate,
    "sign": _sign,
    "value": _value,
    "status": lambda _, book: _state("status", 0, book),
    "before": lambda _, book: _state("status", 1, book),
    "state": lambda subject, book: _state(subject, 0, book),
    "cause": lambda _, book: _link(LinkRole.NEEDS, "", book),
    "second": lambda _, book: _link(LinkRole.NEEDS, "", book, place=1),
    "step": lambda link, book: _link(LinkRole.MECHANISM, link, book),
    "needs": lambda link, book: _link(LinkRole.NEEDS, link, book),
    "absence": _absence,
    "change": _change,
    "none": _count,
    "began": _began,
    "hypothesis": _hypothesis,
}


def config_changed(
    cluster: str,
    version: int,
    *,
    at: int,
    changes: tuple[ConfigChange, ...] = (),
) -> NewEvent:
    """A configuration in force from a time on."""
    event = ConfigChanged(
        at=at,
        fingerprint=f"{version:064x}",
        previous_fingerprint=f"{version - 1:064x}",
        preset="starter",
        modifier=None,
        server_version="1.32.1",
        compiler_version="0.1.0",
        author="ops",
        reason="a test",
        changes=changes,
        values={},
        bounds=(),
    )
    return new_event(event, cluster=cluster, version=version)
