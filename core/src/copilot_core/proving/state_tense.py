"""The tense of a state: one that is over is told as over, in the very words that tell it.

Theory of operation. A claim of a state with an end bears a unit only when the unit says that it is
over: by its end, or by a past form. No form carries over from another unit: in `it is critical and
happy` nothing says that the second is of the past. A headline is read alone, so there a past form
is not enough.
"""

from __future__ import annotations

from typing import Final

from copilot_core.explanation import StateClaim
from copilot_core.proving.text_units import Kind, Unit
from copilot_core.words.figures import Sort

_PRESENT: Final = frozenset({"is", "are", "remains", "stays", "has", "have"})
_PAST: Final = frozenset({"was", "were", "had"})
_BEFORE_THAT: Final = "before-that"
_NOW: Final = frozenset({"still"})
"""Turns that say that it lasts."""


def untimed(unit: Unit, claim: StateClaim) -> str | None:
    """Whether a unit tells a state that is over as if it still were."""
    if claim.until is None:
        return None
    words = _words(unit)
    over = bool(words & _PAST) or _turns(unit) >= {_BEFORE_THAT} or end_said(unit, claim)
    if words & _PRESENT or _turns(unit) & _NOW or not over:
        return "it is not in this state any more"
    return None


def end_said(unit: Unit, claim: StateClaim) -> bool:
    """Whether a unit says when a state ended: `until 07:25:00 UTC`, `after 3 min of stressed`."""
    tokens = unit.tokens
    for at in unit.figures:
        figure = tokens[at].figure
        if figure is None or claim.until is None:
            continue
        if figure.sort is Sort.CLOCK:
            if figure.is_at(claim.until) and not figure.is_at(claim.since):
                return True
        elif [t.text for t in (*tokens[at - 1 : at], *tokens[at + 1 : at + 2])] == ["after", "of"]:
            return True
    return False


def is_told_as_it_is(unit: Unit, claim: StateClaim) -> bool:
    """Whether a unit tells a state that lasts, and as one that lasts."""
    past = _words(unit) & _PAST or _BEFORE_THAT in _turns(unit)
    return claim.until is None and not past


def _words(unit: Unit) -> frozenset[str]:
    return frozenset(t.text for t in unit.tokens if t.kind is Kind.WORD)


def _turns(unit: Unit) -> frozenset[str]:
    return frozenset(t.text for t in unit.tokens if t.kind is Kind.SPECIAL)
