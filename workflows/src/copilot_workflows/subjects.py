"""What is explained: which events, in which kinds of text, and what each text becomes in the log.

    transition   every HealthTransitioned                       TransitionExplained
    incident     a HealthTransitioned back to happy             IncidentReviewed
    state        a CausesRanked of an unhappy cluster           StateAssessed

Revision 1 is worded by the rules, revision 2 by a model, or by the rules with the reason why they
stand. A *subject* names an event and a kind of text; it is the input of workflows and activities.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final
from uuid import UUID

from copilot_core.events import (
    Explaining,
    ExplanationSource,
    HealthTransitioned,
    IncidentReviewed,
    NewEvent,
    RecordedEvent,
    StateAssessed,
    TransitionExplained,
    cluster_of,
)
from copilot_core.explanation import Explanation
from copilot_core.values import Model, Status
from copilot_core.words.book import Book
from copilot_core.words.explainer import explain, review, signature
from copilot_workflows.agents.requests import TextKind

BY_RULES: Final = 1
BY_MODEL: Final = 2
"""Revisions of an explanation."""


class Subject(Model):
    """An event that is explained in one kind of text; `at` is its slot."""

    cluster: str
    explains: UUID
    at: int
    kind: TextKind


EXPLAINED: Final[Mapping[TextKind, type[Explaining]]] = MappingProxyType(
    {
        TextKind.TRANSITION: TransitionExplained,
        TextKind.INCIDENT: IncidentReviewed,
        TextKind.STATE: StateAssessed,
    }
)

_WORDS: Final[Mapping[TextKind, Callable[[Book, UUID], Explanation]]] = MappingProxyType(
    {TextKind.TRANSITION: explain, TextKind.INCIDENT: review, TextKind.STATE: explain}
)


def subjects_of(envelope: NewEvent | RecordedEvent) -> tuple[Subject, ...]:
    """What has to be explained because of an event; nothing for most of them.

    Raises as `decoded` does.
    """
    if envelope.type != HealthTransitioned.__name__:
        return ()
    event, cluster = envelope.decoded(), cluster_of(envelope.stream)
    assert isinstance(event, HealthTransitioned)
    kinds = [TextKind.TRANSITION]
    if event.to is Status.HAPPY and event.from_ is not Status.UNKNOWN:
        kinds.append(TextKind.INCIDENT)
    return tuple(
        Subject(cluster=cluster, explains=envelope.event_id, at=event.slot, kind=kind)
        for kind in kinds
    )


def told_by_rules(book: Book, subject: Subject) -> Explaining:
    """Revision 1: the words of the rules, which need nothing but the book."""
    return EXPLAINED[subject.kind](
        at=subject.at,
        explains=subject.explains,
        revision=BY_RULES,
        source=ExplanationSource.RULES,
        signature=_signature(book, subject),
        explanation=_WORDS[subject.kind](book, subject.explains),
    )


def _signature(book: Book, subject: Subject) -> str:
    """The evidence of an incident is all of it, not only that of the transition that ended it."""
    evidence = signature(book, subject.explains)
    if subject.kind is TextKind.INCIDENT:
        return hashlib.sha256(f"incident {evidence}".encode()).hexdigest()
    return evidence
