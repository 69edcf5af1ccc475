"""Targets that no file names, solved from the limits that follow from them.

Theory of operation. A target (state transitions per second, say) is written nowhere, but limits
that files pin are derived from it. Where several of them would have to be overrides, each formula
is turned round: derivations grow with the target, so bisection finds the targets that give the
pinned limit, and the roundest of them is tried. It is taken when it makes at least two overrides
follow by themselves and brings about nothing that compiling would refuse; one limit alone proves
nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Final

from copilot_core.values import Scalar
from dsql_config.attribution import Pin
from dsql_config.findings import blocking
from dsql_config.formulas import Formula
from dsql_config.inference import base_of, is_locked, kept_of
from dsql_config.origin import Start
from dsql_config.parameters import PARAMETERS
from dsql_config.parameters.parameter import Parameter
from dsql_config.profile import ParameterClass, Profile

_WITNESSES: Final = 2
"""Overrides that one value of a target must replace."""

_HALVINGS: Final = 60
"""Enough to tell neighbouring floats of any target apart."""

_STEPS: Final = tuple(10.0**exponent for exponent in range(4, -4, -1))
"""Round numbers, roundest first, down to three decimals."""

Local = dict[str, Scalar]


def with_targets(start: Start, pins: Mapping[str, Pin], *, version: str) -> Start:
    """The start with those targets as given values that save it overrides."""
    free = {name: pin for name, pin in pins.items() if not is_locked(name)}
    for target in PARAMETERS.values():
        if target.parameter_class is ParameterClass.SLO and target.name not in start.given:
            start = _with_target(target, start, free, version)
    return start


def _with_target(target: Parameter, start: Start, pins: Mapping[str, Pin], version: str) -> Start:
    """The start with the value of one target that saves most overrides; as it is without one."""
    kept, profile = kept_of(start, pins, version=version)
    best, found = len(kept), start
    moved = {g.name: pins[g.name] for g in kept if g.name in pins and _reads(g.name, target)}
    if len(moved) < _WITNESSES:
        return start
    for value, source in _candidates(target, start, moved, profile).items():
        given = {**start.given, target.name: Pin(value, f"follows from {source}")}
        tried = Start(start.preset, start.modifier, given)
        now_kept, now = kept_of(tried, pins, version=version)
        if len(now_kept) < best and not (blocking(now.findings) and not blocking(profile.findings)):
            best, found = len(now_kept), tried
    return found


def _reads(name: str, target: Parameter) -> bool:
    """Whether the formula of a number reads a target."""
    formula = PARAMETERS[name].derivation
    return formula is not None and target.name in formula.reads


def _candidates(
    target: Parameter, start: Start, pins: Mapping[str, Pin], profile: Profile
) -> Mapping[float, str]:
    """The roundest values of a target that give each of some pinned limits, with its source; limits
    that are written before those that are defaults."""
    found: dict[float, str] = {}
    for name, pin in sorted(pins.items(), key=lambda item: item[1].said is None):
        formula, base = PARAMETERS[name].derivation, base_of(start, name)
        if formula is None or isinstance(pin.value, str):
            continue
        local = {} if base is None else {"base": base}

        def limit(value: float, formula: Formula = formula, local: Local = local) -> float:
            return float(formula.evaluate({**profile.values, target.name: value}, **local))

        low = _first(target, lambda v, at=pin.value, of=limit: of(v) >= at)
        high = _first(target, lambda v, at=pin.value, of=limit: of(v) > at)
        value = _roundest(low, high)
        if value is not None and limit(value) == pin.value:
            found.setdefault(value, pin.source)
    return found


def _first(target: Parameter, holds: Callable[[float], bool]) -> float:
    """The least value of a target for which something holds that goes on to hold above it; the
    target's maximum where it holds nowhere."""
    low, high = target.minimum, target.maximum
    if holds(low):
        return low
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def _roundest(low: float, high: float) -> float | None:
    """The roundest number from `low` up to, not including, `high`; None when there is none."""
    for step in _STEPS:
        value = round(math.ceil(low / step) * step, 3)
        if low <= value < high:
            return value
    return None
