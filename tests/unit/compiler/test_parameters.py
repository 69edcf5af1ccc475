"""The parameter registry: names, ranges, classes and who watches what agree with each other."""

from __future__ import annotations

from collections import Counter

import pytest

from copilot_core.values import Apply
from dsql_config.parameters import GROUPS, PARAMETERS, dependencies, find, order
from dsql_config.parameters.parameter import DynamicKey, Env, Kind, Parameter
from dsql_config.presets import PRESETS
from dsql_config.profile import ParameterClass
from dsql_config.rails import RAILS, Rail
from dsql_config.what_if import closure
from tests.unit.compiler.compiling import COMBINATIONS, profile

_TYPES = {Kind.INT: int, Kind.FLOAT: float, Kind.BOOL: bool, Kind.CHOICE: str, Kind.TEXT: str}


def written(parameter: Parameter) -> list[str]:
    """The server keys and variables of a parameter."""
    return [
        target.key if isinstance(target, DynamicKey) else target.name
        for target in parameter.writes
        if isinstance(target, DynamicKey | Env)
    ]


def test_no_name_is_used_twice() -> None:
    """A parameter has one row, and no two parameters are written to one place."""
    assert sum(map(len, GROUPS.values())) == len(PARAMETERS)
    places = Counter(repr(target) for p in PARAMETERS.values() for target in p.writes)
    assert {place for place, times in places.items() if times > 1} == set()
    names = Counter(name.lower() for p in PARAMETERS.values() for name in written(p))
    assert {name for name, times in names.items() if times > 1} == set()


def test_every_formula_finds_its_parameters_before_it() -> None:
    """The order holds every parameter once, each after all that it reads: there is no cycle."""
    place = {name: number for number, name in enumerate(order())}
    assert set(place) == set(PARAMETERS)
    assert len(order()) == len(PARAMETERS)
    for parameter in PARAMETERS.values():
        assert all(place[read] < place[parameter.name] for read in dependencies(parameter))


def test_users_are_asked_fifteen_questions_at_most() -> None:
    """Four targets are SLO; with what runs where there are no more than 15."""
    classes = Counter(p.parameter_class for p in PARAMETERS.values())
    assert classes[ParameterClass.SLO] == 4
    assert classes[ParameterClass.SLO] + classes[ParameterClass.TOPOLOGY] <= 15


def test_what_is_asked_is_not_derived_and_what_is_derived_is_not_asked() -> None:
    """An answer has no formula; a value that is not asked has a formula or a base."""
    for parameter in PARAMETERS.values():
        if parameter.given:
            assert parameter.formula is None
            assert parameter.enforce is None
        else:
            assert parameter.formula is not None or parameter.base is not None, parameter.name


@pytest.mark.parametrize("preset", PRESETS)
def test_every_value_has_a_beginning(preset: str) -> None:
    """What is asked, and every formula that starts from a base, has one from registry or preset."""
    for parameter in PARAMETERS.values():
        names = parameter.formula.replace("(", " ").replace(",", " ") if parameter.formula else ""
        if parameter.given or "base" in names.split():
            has_base = parameter.base is not None or parameter.name in PRESETS[preset].values
            assert has_base, parameter.name


@pytest.mark.parametrize(("preset", "modifier"), COMBINATIONS)
def test_every_default_is_a_value_that_its_parameter_takes(
    preset: str, modifier: str | None
) -> None:
    """For every preset and modifier each value has its parameter's type and lies in its range."""
    for resolved in profile(preset, modifier).parameters:
        parameter, value = PARAMETERS[resolved.name], resolved.value
        assert type(value) is _TYPES[parameter.kind], resolved
        if isinstance(value, str):
            assert not parameter.choices or value in parameter.choices
        else:
            assert parameter.minimum <= value <= parameter.maximum, resolved


def test_names_say_their_unit() -> None:
    """`_ms`, `_s`, `_per_s` and `_qps` stand in a name exactly where the unit is that."""
    for name, parameter in PARAMETERS.items():
        unit = parameter.unit.split(" per ")[0]
        if name.endswith(("_per_s", "_qps", "rps")):
            assert unit == "1/s", name
        else:
            assert name.endswith("_ms") == (unit == "ms"), name
            assert name.endswith("_s") == (unit == "s"), name


def test_ranges_are_ranges() -> None:
    """Numbers have a range that is none of the wrong way round; choices are the base's own."""
    for parameter in PARAMETERS.values():
        assert parameter.minimum <= parameter.maximum
        assert (parameter.kind is Kind.CHOICE) == bool(parameter.choices)
        if parameter.kind is Kind.CHOICE:
            assert parameter.base in parameter.choices


@pytest.mark.parametrize("rail", RAILS, ids=lambda rail: rail.id)
def test_a_parameter_names_the_rails_that_watch_it(rail: Rail) -> None:
    """Each parameter that a condition reads names the rail, and whoever names it moves it."""
    direct = set(rail.condition.reads)
    naming = {p.name for p in PARAMETERS.values() if rail.id in p.rails}
    assert direct <= naming
    assert naming <= direct.union(*(closure(name) for name in direct))


def test_no_parameter_names_a_rail_that_is_not_there() -> None:
    """Rails in the registry are rails of the table, also those that correct a value."""
    ids = {rail.id for rail in RAILS}
    assert {rail for p in PARAMETERS.values() for rail in p.rails} == ids
    enforced = {p.enforcement[0] for p in PARAMETERS.values() if p.enforcement}
    assert enforced <= ids


def test_a_parameter_is_found_by_every_name_it_is_written_under() -> None:
    """Server keys and variables lead to their parameter, in any case; other names to none."""
    for parameter in PARAMETERS.values():
        assert find(parameter.name) is parameter
        for name in written(parameter):
            assert find(name) is find(name.upper()) is find(name.lower()) is parameter
    assert find("") is None
    assert find("history") is None


def test_only_the_shards_are_for_life() -> None:
    """Everything but the number of history shards can be changed on a running cluster."""
    for_life = [p.name for p in PARAMETERS.values() if p.apply is Apply.RECREATE]
    assert for_life == ["history_shards"]


def test_worker_options_and_variables_need_a_restart() -> None:
    """Live are only dynamic-config entries and what is written nowhere: a process reads the rest
    when it starts."""
    for parameter in PARAMETERS.values():
        if parameter.apply is Apply.LIVE:
            assert all(isinstance(target, DynamicKey) for target in parameter.writes), (
                parameter.name
            )
