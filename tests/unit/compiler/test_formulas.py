"""Formulas: the text that is shown computes the value that is used, and nothing else is let in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import pytest

from copilot_core.errors import Defect
from copilot_core.events import Scalar
from dsql_config.bounds import BOUNDS
from dsql_config.formulas import CONSTANTS, FUNCTIONS, Formula, parsed, power_of_two, show
from dsql_config.parameters import PARAMETERS
from dsql_config.parameters.parameter import Env
from dsql_config.presets import PRESETS
from dsql_config.profile import Layer, Profile
from dsql_config.rails import RAILS, Rail
from tests.unit.compiler.compiling import COMBINATIONS, profile

_SIGNS = {"−": "-", "×": "*", "÷": "/", "≠": "!=", "≤": "<=", "≥": ">="}


def computed(worked: str, texts: set[str]) -> object:
    """What people would compute from a worked formula; `texts` are values that are no numbers."""
    longest_first = sorted(map(show, texts), key=len, reverse=True)
    names = "|".join(map(re.escape, longest_first))
    parts = re.split(rf"(?<![\w-])({names})(?![\w-])", worked)
    for place in range(0, len(parts), 2):
        part = parts[place].replace(" = ", " == ")
        for sign, operator in _SIGNS.items():
            part = part.replace(sign, operator)
        parts[place] = re.sub(r"\b(on|off)\b", lambda m: str(m[0] == "on"), part)
    parts[1::2] = map(repr, parts[1::2])
    return eval("".join(parts), {"__builtins__": {}, **FUNCTIONS})


def texts_of(values: Mapping[str, Scalar]) -> set[str]:
    """Every text that a formula over these values may show."""
    choices = {choice for p in PARAMETERS.values() for choice in p.choices}
    return choices | {v for v in values.values() if isinstance(v, str)} | {""}


def registered() -> Iterator[Formula]:
    """Every formula of the tables."""
    for parameter in PARAMETERS.values():
        if parameter.derivation:
            yield parameter.derivation
        if parameter.enforcement:
            yield parameter.enforcement[1]
        yield from (parsed(t.when) for t in parameter.writes if isinstance(t, Env) and t.when)
    yield from (rail.condition for rail in RAILS)
    yield from (side for bound in BOUNDS for side in bound.sides if side)


def _derivations(of: Profile) -> Iterator[tuple[str, str, Scalar]]:
    for resolved in of.parameters:
        for step in resolved.steps:
            if step.worked is not None:
                yield resolved.name, step.worked, step.value


@pytest.mark.parametrize(("preset", "modifier"), COMBINATIONS)
def test_the_worked_formula_computes_the_value(preset: str, modifier: str | None) -> None:
    """Whoever checks a step by hand, from nothing but its text, finds the step's value."""
    compiled = profile(preset, modifier)
    texts = texts_of(compiled.values)
    assert {name: computed(worked, texts) for name, worked, _ in _derivations(compiled)} == {
        name: value for name, _, value in _derivations(compiled)
    }


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("rail", RAILS, ids=lambda rail: rail.id)
def test_the_worked_condition_of_a_rail_computes_its_verdict(preset: str, rail: Rail) -> None:
    """A rail's numbers, as shown, give its verdict."""
    values = profile(preset).values
    shown = computed(rail.condition.worked(values), texts_of(values))
    assert bool(shown) == bool(rail.condition.evaluate(values))


def test_every_formula_reads_registered_names_only() -> None:
    """No formula of any table names a parameter that is not there."""
    assert {name for formula in registered() for name in formula.reads} <= set(PARAMETERS)


def test_every_figure_is_used_and_has_a_source() -> None:
    """A constant that no formula uses is deleted; one without meaning or source is not accepted."""
    assert {name for formula in registered() for name in formula.constants} == set(CONSTANTS)
    assert all(c.meaning and c.source for c in CONSTANTS.values())


@pytest.mark.parametrize(
    "text",
    [
        "a < b < c",
        "unknown(1)",
        "a.b(1)",
        "-a",
        "a[0]",
        "a ** b",
        "lambda: 1",
        "[a]",
        "{a}",
        "f'{a}'",
        "max(*a)",
        "max(a, key=b)",
        "(a := 1)",
        "[x for x in a]",
        "a if",
        "",
    ],
)
def test_what_is_not_in_the_grammar_is_refused_at_once(text: str) -> None:
    """A formula that could not be shown, or would do more than compute, is never constructed."""
    with pytest.raises(Defect):
        Formula(text)


def test_a_derivation_is_a_step_of_its_own() -> None:
    """A parameter with a formula has exactly one derivation step, others have none."""
    for resolved in profile("mid-scale").parameters:
        steps = [s for s in resolved.steps if s.layer is Layer.DERIVATION]
        assert len(steps) == (PARAMETERS[resolved.name].formula is not None)


@pytest.mark.parametrize("value", [0.1, 1, 1.5, 2, 3, 1000, 1024, 1025, 16_384])
def test_power_of_two_is_the_smallest_that_is_enough(value: float) -> None:
    """It is a power of two, at least the value, and its half would not be."""
    power = power_of_two(value)
    assert power.bit_count() == 1
    assert power >= value
    assert power == 1 or power / 2 < value


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (True, "on"),
        (False, "off"),
        (1_000_000, "1,000,000"),
        (150.0, "150"),
        (99_999.75, "99,999.75"),
        (0.03, "0.03"),
        ("sql", "sql"),
        ("", "(none)"),
    ],
)
def test_values_are_shown_as_people_write_them(value: Scalar, shown: str) -> None:
    """No value is rounded, and absence has a name."""
    assert show(value) == shown
