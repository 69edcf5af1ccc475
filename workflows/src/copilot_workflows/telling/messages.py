"""What the activities of the course are told and what they answer: one model in, one out."""

from __future__ import annotations

from typing import Final

from copilot_core.events import ExplanationSource, ModelCallReserved
from copilot_core.values import Model
from copilot_workflows.agents.requests import Composed, ComposeRequest, Reason
from copilot_workflows.subjects import Subject

TELL_BY_RULES: Final = "tell_by_rules"
PERMIT_MODEL: Final = "permit_model"
TELL_BY_MODEL: Final = "tell_by_model"
"""Names of activities; histories hold them."""


class Told(Model):
    """Which words stand in the log.

    `revision` is 0 where there is nothing to be said; `reason` says why no model worded it, None
    where one did or none is configured.
    """

    revision: int
    source: ExplanationSource | None = None
    reason: Reason | None = None


class ByRules(Model):
    """The words of the rules are in the log; `ask` says whether a model should be asked for better
    ones."""

    told: Told
    ask: bool


class Permit(Model):
    """A model may be asked this, and the call is in the ledger; or it may not, and the words of the
    rules stand for the reason that `told` gives."""

    request: ComposeRequest | None = None
    reserved: ModelCallReserved | None = None
    told: Told | None = None


class Conclusion(Model):
    """What came of the call."""

    subject: Subject
    reserved: ModelCallReserved
    composed: Composed
