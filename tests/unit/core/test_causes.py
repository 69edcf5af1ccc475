"""The graph of causes is closed, and its advice keeps the rules."""

from __future__ import annotations

import re

import pytest

from copilot_core.causes import CAUSE, CAUSES, MECHANISMS, Cause, Component, Kind
from copilot_core.rules import RulePack
from copilot_core.signs import SIGN, SIGNS


def _signs(cause: Cause) -> set[str]:
    entries = (*cause.must, *cause.unless, *cause.supports, *cause.against)
    return {sign for entry in entries for sign in entry.split("|")}


@pytest.mark.parametrize("cause", CAUSES, ids=lambda c: c.key)
def test_a_row_names_only_rows(cause: Cause) -> None:
    """Signs, mechanisms and other causes that a row names have rows of their own."""
    assert _signs(cause) <= set(SIGN)
    assert set(cause.path) <= set(MECHANISMS)
    assert {*cause.brings, *cause.follows} <= set(CAUSE) - {cause.key}
    assert all(any(t.sign in entry.split("|") for entry in cause.must) for t in cause.tells)
    assert all(t.rather_than in {"", *CAUSE} for t in cause.tells)
    assert cause.must
    assert cause.path


def test_every_row_is_used() -> None:
    """No sign that no cause looks at, no mechanism on nobody's way, no cause twice."""
    assert set(SIGN) == {s for c in CAUSES for s in _signs(c)}
    assert set(MECHANISMS) == {m for c in CAUSES for m in c.path}
    assert len(CAUSE) == len(CAUSES)
    assert len(SIGN) == len(SIGNS)


def test_words_are_those_of_the_vocabulary() -> None:
    """Components and kinds are the words in which incidents are recorded."""
    assert {c.component for c in CAUSES} <= set(Component)
    assert {c.kind for c in CAUSES} <= set(Kind)


def test_thresholds_of_gates_are_those_of_the_rules() -> None:
    """A sign that takes its figure from a gate names one, and compares the same way or its
    opposite with the same figure as its row tells."""
    rules = RulePack.default()
    for sign in SIGNS:
        if sign.gate is not None:
            assert sign.threshold == pytest.approx(rules.gate(sign.gate).main.threshold[0])


@pytest.mark.parametrize("cause", CAUSES, ids=lambda c: c.key)
def test_a_next_step_is_safe_and_short(cause: Cause) -> None:
    """One sentence, no number to mistype, and nothing that takes capacity away or deletes."""
    assert re.fullmatch(r"[A-Z][^.]{20,160}\.", cause.action)
    assert not re.search(r"\d", cause.action)
    assert not re.search(
        r"\b(scale down|scale in|delete|drop|truncate|terminate|kill|force)\b", cause.action
    )
    assert not cause.says.endswith(".")
