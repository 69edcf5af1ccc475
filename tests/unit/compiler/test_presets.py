"""Presets and modifiers: values for registered parameters, and nothing else."""

from __future__ import annotations

import pytest

from dsql_config.findings import Severity
from dsql_config.modifiers import MODIFIERS
from dsql_config.parameters import PARAMETERS
from dsql_config.presets import PRESETS
from dsql_config.profile import Layer, ParameterClass
from tests.unit.compiler.compiling import COMBINATIONS, compilation, profile

TABLES = {**PRESETS, **MODIFIERS}


@pytest.mark.parametrize("name", TABLES)
def test_a_preset_or_modifier_defines_no_parameter_and_touches_no_locked_one(name: str) -> None:
    """Every name is registered, and none of them is Safety."""
    for parameter in TABLES[name].values:
        assert PARAMETERS[parameter].parameter_class is not ParameterClass.SAFETY


def test_presets_share_the_sizes_among_them() -> None:
    """From zero upwards without gap or overlap, the last without end; names are the keys."""
    presets = list(PRESETS.values())
    assert presets[0].above == 0
    assert presets[-1].up_to == float("inf")
    assert [p.up_to for p in presets[:-1]] == [p.above for p in presets[1:]]
    assert [p.name for p in presets] == list(PRESETS)
    assert [m.name for m in MODIFIERS.values()] == list(MODIFIERS)


def test_a_preset_is_meant_for_its_own_target() -> None:
    """The target that a preset starts from lies within what it is meant for."""
    for preset in PRESETS.values():
        target = preset.values["state_transitions_per_s"]
        assert isinstance(target, float)
        assert preset.above < target <= preset.up_to


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_alone_is_beyond_reproach(preset: str) -> None:
    """No error and no warning; what is missing is told as information."""
    assert {f.severity for f in compilation(preset).findings} <= {Severity.INFO}


@pytest.mark.parametrize(("preset", "modifier"), COMBINATIONS)
def test_every_combination_may_be_written(preset: str, modifier: str | None) -> None:
    """No preset and modifier together break a rail that forbids writing."""
    assert compilation(preset, modifier).writable


@pytest.mark.parametrize(("preset", "modifier"), COMBINATIONS)
def test_a_modifier_replaces_what_the_preset_gave(preset: str, modifier: str | None) -> None:
    """The step of each layer holds the table's value, the modifier's after the preset's."""
    for resolved in profile(preset, modifier).parameters:
        steps = {s.layer: s.value for s in resolved.steps}
        assert steps.get(Layer.PRESET) == PRESETS[preset].values.get(resolved.name)
        told = MODIFIERS[modifier].values if modifier else {}
        assert steps.get(Layer.MODIFIER) == told.get(resolved.name)
        layers = [list(Layer).index(s.layer) for s in resolved.steps]
        assert layers == sorted(set(layers))


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("modifier", MODIFIERS)
def test_every_modifier_changes_every_preset(preset: str, modifier: str) -> None:
    """A modifier that made no difference would promise something for nothing."""
    assert profile(preset, modifier).values != profile(preset).values
