"""From pins to a request: what a start must be given so that it compiles to what files say.

Theory of operation. Compiling with every pin as a given value resolves the registry once, in the
order of its formulas, and so tells for each pin whether it follows from what stands above it; only
those that do not are kept.

Where no file says which preset and modifier it was, every pair of them is a start, and the one that
keeps the fewest values is taken; of equals the first: without modifier, then in the order of the
tables. A bound below that count, from the pins that no formula could bring about, lets most starts
go untried.
"""

from __future__ import annotations

from collections.abc import Mapping

from copilot_core.errors import Defect
from copilot_core.values import Scalar
from dsql_config.attribution import Attribution, Pin
from dsql_config.compiler import compile_profile
from dsql_config.formulas import Formula, parsed
from dsql_config.modifiers import MODIFIERS
from dsql_config.origin import Start
from dsql_config.parameters import PARAMETERS
from dsql_config.parameters.parameter import Kind
from dsql_config.presets import PRESETS
from dsql_config.profile import Given, Layer, ParameterClass, Profile, Request, Resolved
from dsql_config.variables import compiled


def settle(start: Start, pins: Mapping[str, Pin], *, alone: Profile) -> Profile:
    """The profile of a start and of those pins that do not follow from it; `alone` is the start's.

    Pins of Safety parameters are left out: they take no value.
    """
    free = {name: pin for name, pin in pins.items() if not is_locked(name)}
    if all(alone.value(name) == pin.value for name, pin in free.items()):
        return alone
    kept, _ = kept_of(start, free, version=alone.server_version)
    return profile_of(start, kept, version=alone.server_version)


def infer(found: Attribution, version: str) -> Start:
    """The start that keeps the fewest values, with the choices that no file names as given."""
    starts = [Start(preset, modifier, {}) for modifier in (None, *MODIFIERS) for preset in PRESETS]
    floors = [_at_least(start, found.pins) for start in starts]
    free = {name: pin for name, pin in found.pins.items() if not is_locked(name)}
    locked = {name: pin for name, pin in found.pins.items() if is_locked(name)}
    best: tuple[int, int, Start] | None = None
    for place in sorted(range(len(starts)), key=lambda i: (floors[i], i)):
        if best and floors[place] > best[0]:
            break
        start = starts[place]
        start = Start(start.preset, start.modifier, _hidden(start, found))
        kept, profile = kept_of(start, free, version=version)
        cost = len(kept) + sum(profile.value(n) != pin.value for n, pin in locked.items())
        if best is None or (cost, place) < best[:2]:
            best = (cost, place, start)
    if best is None:
        raise Defect("there is no preset")
    return best[2]


def base_of(start: Start, name: str) -> Scalar | None:
    """What registry, preset and modifier say of a parameter."""
    modifier = MODIFIERS[start.modifier].values if start.modifier else {}
    layers = (modifier, PRESETS[start.preset].values)
    return next((layer[name] for layer in layers if name in layer), PARAMETERS[name].base)


def _at_least(start: Start, pins: Mapping[str, Pin]) -> int:
    """How many pins a start keeps at least: those that no formula could bring about."""
    return sum(
        pin.value != base_of(start, name)
        for name, pin in pins.items()
        if PARAMETERS[name].derivation is None and PARAMETERS[name].enforcement is None
    )


def _hidden(start: Start, found: Attribution) -> Mapping[str, Pin]:
    """Choices that are written nowhere and decide which variables are: of each, the option whose
    variables are nearest to those that were seen, where it is not the usual one."""
    if not found.seen:
        return {}
    conditions = {n: parsed(row.target.when) for n, row in compiled().items() if row.target.when}
    hidden: dict[str, Pin] = {}
    for parameter in PARAMETERS.values():
        deciding = {n: when for n, when in conditions.items() if parameter.name in when.reads}
        if parameter.kind is Kind.CHOICE and deciding and parameter.name not in found.pins:
            usual = base_of(start, parameter.name)
            options = sorted(parameter.choices, key=lambda option: option != usual)
            nearest = min(options, key=lambda o: _off(start, found, deciding, {parameter.name: o}))
            if nearest != usual:
                hidden[parameter.name] = Pin(nearest, "the variables that are there")
    return hidden


def _off(
    start: Start,
    found: Attribution,
    conditions: Mapping[str, Formula],
    chosen: Mapping[str, Scalar],
) -> int:
    """How many variables are there without their condition, or missing in spite of it."""
    seen = found.seen or {}

    def holds(when: Formula) -> bool:
        usual = {n: base for n in when.reads if (base := base_of(start, n)) is not None}
        pinned = {n: found.pins[n].value for n in when.reads if n in found.pins}
        return bool(when.evaluate({**usual, **pinned, **chosen}))

    return sum(holds(when) != (name in seen) for name, when in conditions.items())


def kept_of(
    start: Start, free: Mapping[str, Pin], *, version: str
) -> tuple[tuple[Given, ...], Profile]:
    """What a start must be given so that every pin holds, and the profile with all of them given.

    A parameter is resolved after all that it reads, so leaving out what makes no difference leaves
    every value as it is.
    """
    moved = {
        n: p for n, p in free.items() if n not in start.given or p.value != start.given[n].value
    }
    merged = given_of({**start.given, **moved})
    profile = profile_of(start, merged, version=version)
    needed = {r.name for r in profile.parameters if is_needed(r)} | start.given.keys()
    return tuple(g for g in merged if g.name in needed), profile


def is_needed(resolved: Resolved) -> bool:
    """Whether a given value made a difference: without it the layers above give another one."""
    match [step.layer for step in resolved.steps]:
        case [*_, Layer.OVERRIDE] | [Layer.INPUT]:
            return True
        case [*_, Layer.INPUT]:
            return resolved.steps[-1].value != resolved.steps[-2].value
        case _:
            return False


def given_of(pins: Mapping[str, Pin]) -> tuple[Given, ...]:
    """Pins as given values, in registry order."""
    return tuple(
        Given(name=name, value=pins[name].value, source=pins[name].source)
        for name in PARAMETERS
        if name in pins
    )


def profile_of(start: Start, given: tuple[Given, ...], *, version: str) -> Profile:
    """What a start compiles to with these given values. Its names and the version are known."""
    request = Request(
        preset=start.preset, modifier=start.modifier, given=given, server_version=version
    )
    profile = compile_profile(request).profile
    if profile is None:
        raise Defect(f"{start.preset}, {start.modifier} and server {version} exist, yet no profile")
    return profile


def is_locked(name: str) -> bool:
    """Whether a parameter takes no value from users."""
    return PARAMETERS[name].parameter_class is ParameterClass.SAFETY
