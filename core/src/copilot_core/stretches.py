"""Stretches: what was in which state from when to when, read from the verdicts of a book.

A stretch ends with the slot of the next verdict that says otherwise, and has no end while the book
ends within it. The first one of a book whose beginning is cut off may have begun earlier; what the
book shows of it is true all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final
from uuid import UUID

from copilot_core.book import Book
from copilot_core.events import Verdict

SUBJECTS: Final[Mapping[str, Callable[[Verdict], str]]] = MappingProxyType(
    {
        "status": lambda v: v.status.value,
        "evidence": lambda v: v.evidence.value,
        "band": lambda v: v.band.value,
        "bottleneck": lambda v: v.bottleneck,
    }
)
"""What has states, beside the services."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A state from `since` on, to `until`; None while it lasts. `shown_by` is the sample that it
    begins with."""

    state: str
    since: int
    until: int | None
    shown_by: UUID


def stretches(book: Book, subject: str) -> tuple[Stretch, ...]:
    """The stretches of one subject (`status`, `evidence`, `band`, `bottleneck`, or
    `service:<name>`, its progress), oldest first; none for a subject that is none."""
    found: list[Stretch] = []
    for fact in book.samples:
        state = _state(fact.event.verdict, subject)
        last = found[-1] if found and found[-1].until is None else None
        if last is not None and last.state == state:
            continue
        if last is not None:
            found[-1] = Stretch(last.state, last.since, fact.at, last.shown_by)
        if state is not None:
            found.append(Stretch(state, fact.at, None, fact.id))
    return tuple(found)


def _state(verdict: Verdict, subject: str) -> str | None:
    if subject.startswith("service:"):
        return verdict.services.get(subject.removeprefix("service:"), (None,))[0]
    read = SUBJECTS.get(subject)
    return None if read is None else read(verdict)
