"""What the schedule's workflow is told and what it answers."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from copilot_core.values import Model
from copilot_workflows.subjects import Subject

FIND_NEW_EVIDENCE: Final = "find_new_evidence"

MAX_CLUSTERS: Final = 200
"""Assessed in one round; the next ones come in the next round, by turns."""


class AssessRound(Model):
    """One round over all clusters; `every_s` is when the next one comes."""

    max_clusters: Annotated[int, Field(ge=1)] = MAX_CLUSTERS
    every_s: Annotated[int, Field(ge=60)] = 300


class NewEvidence(Model):
    """The rankings of unhappy clusters that rest on evidence nobody has worded yet."""

    subjects: tuple[Subject, ...]


class Assessed(Model):
    """How many assessments were started, and how many were known by their id."""

    started: int
    known: int
