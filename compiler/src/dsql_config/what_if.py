"""What would change a value: the same request compiled again with one thing changed at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final

from copilot_core.values import Scalar
from dsql_config.compiler import compile_profile
from dsql_config.explanation import Effect
from dsql_config.modifiers import MODIFIERS
from dsql_config.parameters import PARAMETERS, dependencies, find
from dsql_config.parameters.parameter import Kind, Parameter
from dsql_config.presets import PRESETS
from dsql_config.profile import Given, Layer, ParameterClass, Profile, Request

_WHAT_IF: Final = "what if"
"""Source of the one value that is changed."""


@cache
def closure(name: str) -> tuple[str, ...]:
    """The parameters that a parameter is computed from, transitively, in registry order."""
    near = dependencies(PARAMETERS[name])
    found = set(near).union(*(closure(n) for n in near))
    return tuple(n for n in PARAMETERS if n in found)


def effects(name: str, profile: Profile) -> Iterator[Effect]:
    """What a parameter's value would be after one change at a time.

    Another preset or modifier is told only where it makes a difference; a parameter that the value
    is computed from is told in any case, because no change says that something else decides.
    """
    present, steps = profile.value(name), profile.resolved(name).steps
    if steps[-1].layer is Layer.OVERRIDE and len(steps) > 1:
        yield Effect(kind="override", name=name, value=steps[-2].value)
    for read in closure(name):
        for other in _other_values(PARAMETERS[read], profile.value(read)):
            value = _after(_request(profile, {read: other}), name, present)
            before = profile.value(read)
            yield Effect(kind="parameter", name=read, before=before, after=other, value=value)
    asked = _request(profile, {})
    for modifier in (None, *MODIFIERS):
        value = _after(asked.model_copy(update={"modifier": modifier}), name, present)
        if value != present:
            yield Effect(kind="modifier", name=modifier or "none", value=value)
    for preset in PRESETS:
        value = _after(asked.model_copy(update={"preset": preset}), name, present)
        if value != present:
            yield Effect(kind="preset", name=preset, value=value)


def _other_values(parameter: Parameter, value: Scalar) -> Iterator[Scalar]:
    """Values to try in place of one: twice as much (half at the upper end), the other choices.

    A locked parameter takes no other value, and of a name there is no next one.
    """
    if parameter.parameter_class is ParameterClass.SAFETY:
        return
    match value:
        case bool():
            yield not value
        case int() | float():
            other = value * 2 if value * 2 <= parameter.maximum else value / 2
            other = int(other) if parameter.kind is Kind.INT else float(other)
            if other != value and other >= parameter.minimum:
                yield other
        case str():
            yield from (choice for choice in parameter.choices if choice != value)


def _request(profile: Profile, changed: Mapping[str, Scalar]) -> Request:
    """The request that a profile came from, with some parameters given another value."""
    found = ((find(g.name), g) for g in profile.given)
    kept = [g for parameter, g in found if parameter and parameter.name not in changed]
    return Request(
        preset=profile.preset,
        modifier=profile.modifier,
        given=(*kept, *(Given(name=n, value=v, source=_WHAT_IF) for n, v in changed.items())),
        server_version=profile.server_version,
    )


def _after(request: Request, name: str, otherwise: Scalar) -> Scalar:
    """A parameter's value in another request; what it is now where that has no profile."""
    profile = compile_profile(request).profile
    return profile.value(name) if profile else otherwise
