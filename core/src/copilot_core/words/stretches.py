"""Stretches: what was in which state from when to when, read from the events that say it changed.

A stretch ends with the slot of the next change, and has no end while the book ends within it. The
first one of a book whose beginning is cut off may have begun earlier; what the book shows of it is
true all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from copilot_core.events import (
    BandChanged,
    BottleneckChanged,
    Event,
    HealthTransitioned,
    ServiceHealthChanged,
    SightLost,
    SightRegained,
    Verdict,
)
from copilot_core.words.book import Book


@dataclass(frozen=True, slots=True)
class _Subject:
    """How a subject's state is read from a verdict, and from the events that change it."""

    verdict: Callable[[Verdict], str]
    changed_by: tuple[type[Event], ...]
    change: Callable[[Any], str]


SUBJECTS: Final[Mapping[str, _Subject]] = MappingProxyType(
    {
        "status": _Subject(lambda v: v.status.value, (HealthTransitioned,), lambda e: e.to.value),
        "evidence": _Subject(
            lambda v: v.evidence.value, (SightLost, SightRegained), lambda e: e.evidence.value
        ),
        "band": _Subject(lambda v: v.band.value, (BandChanged,), lambda e: e.to.value),
        "bottleneck": _Subject(lambda v: v.bottleneck, (BottleneckChanged,), lambda e: e.to),
    }
)
"""What has states, beside the services."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A state from `since` on, to `until`; None while it lasts. `shown_by` is the event that it
    begins with: the change, or the first sample of the book."""

    state: str
    since: int
    until: int | None
    shown_by: UUID


def stretches(book: Book, subject: str) -> tuple[Stretch, ...]:
    """The stretches of one subject (`status`, `evidence`, `band`, `bottleneck`, or
    `service:<name>`, its progress), oldest first; none for a subject that is none."""
    found: list[Stretch] = []
    for at, state, shown_by in sorted(_states(book, subject), key=lambda s: s[0]):
        if found and found[-1].state == state:
            continue
        if found:
            last = found[-1]
            found[-1] = Stretch(last.state, last.since, at, last.shown_by)
        found.append(Stretch(state, at, None, shown_by))
    return tuple(found)


def _states(book: Book, subject: str) -> Iterator[tuple[int, str, UUID]]:
    """When a state was begun with, and by which event; the book's first sample begins with one."""
    service = subject.removeprefix("service:") if subject.startswith("service:") else None
    known = SUBJECTS.get(subject)
    if known is None and service is None:
        return
    for first in book.samples[:1]:
        verdict = first.event.verdict
        if known is not None:
            yield first.at, known.verdict(verdict), first.id
        elif service in verdict.services:
            yield first.at, verdict.services[service][0], first.id
    if service is not None:
        for fact in book.all(ServiceHealthChanged):
            if fact.event.service == service:
                yield fact.at, fact.event.progress, fact.id
    elif known is not None:
        for changed_by in known.changed_by:
            for fact in book.all(changed_by):
                yield fact.at, known.change(fact.event), fact.id
