"""What workflows are called, and the ids under which they are started: one per thing to be told.

    explain_transition    the transition's event id
    review_incident       `incident-` and the id of the transition that ended it
    assess_state          `state-` and the id of the ranking
    assess_on_schedule    by its Temporal Schedule
    sync_knowledge        by its Temporal Schedule

Starting one a second time is harmless: the server knows the id, and says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from copilot_workflows.agents.requests import TextKind
from copilot_workflows.subjects import Subject

EXPLAIN_TRANSITION: Final = "explain_transition"
REVIEW_INCIDENT: Final = "review_incident"
ASSESS_STATE: Final = "assess_state"
ASSESS_ON_SCHEDULE: Final = "assess_on_schedule"
SYNC_KNOWLEDGE: Final = "sync_knowledge"

_BY_KIND: Final[Mapping[TextKind, tuple[str, str]]] = MappingProxyType(
    {
        TextKind.TRANSITION: (EXPLAIN_TRANSITION, ""),
        TextKind.INCIDENT: (REVIEW_INCIDENT, "incident-"),
        TextKind.STATE: (ASSESS_STATE, "state-"),
    }
)
"""Per kind of text: the workflow, and what stands in front of the event id."""


def workflow_of(subject: Subject) -> str:
    """The name of the workflow that words a subject."""
    return _BY_KIND[subject.kind][0]


def workflow_id_of(subject: Subject) -> str:
    """The id of the one workflow that words a subject."""
    return f"{_BY_KIND[subject.kind][1]}{subject.explains}"
