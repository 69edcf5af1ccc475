"""What the schedule's workflow is told and what it answers."""

from __future__ import annotations

from typing import Final

from copilot_core.values import Model
from copilot_workflows.subjects import Subject

FIND_NEW_EVIDENCE: Final = "find_new_evidence"

MAX_CLUSTERS: Final = 200
"""Assessed in one round; the others come next time."""


class AssessRound(Model):
    """One round over all clusters."""

    max_clusters: int = MAX_CLUSTERS


class NewEvidence(Model):
    """The rankings of unhappy clusters that rest on evidence nobody has worded yet."""

    subjects: tuple[Subject, ...]


class Assessed(Model):
    """How many assessments were started, and how many were known by their id."""

    started: int
    known: int
