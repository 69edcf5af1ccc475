"""Why a value is what it is: of one key, of a preset, of a compiled profile.

Theory of operation. Nothing here computes a value of its own. A key's history is the steps that the
compiler noted; what would change it is found by compiling again with one thing changed; where it is
written, which rails watch it and which telemetry is expected come from the tables. A name may be a
parameter's, or any under which a value is written: a server key, a variable, a worker option. A
server key that no parameter writes is explained from the server's registry.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from math import isfinite

from copilot_core.errors import Rejected
from dsql_config import sources
from dsql_config.bounds import BOUNDS, Bound
from dsql_config.compiler import compile_profile
from dsql_config.explanation import (
    Explanation,
    KeyExplanation,
    LayerView,
    ModifierLine,
    PresetExplanation,
    ProfileExplanation,
    ValueLine,
    Watch,
)
from dsql_config.formulas import show
from dsql_config.modifiers import MODIFIERS
from dsql_config.parameters import PARAMETERS, find
from dsql_config.parameters.parameter import GoOption, Kind, Parameter, PythonOption
from dsql_config.places import places_of, written
from dsql_config.plain_text import bound_text
from dsql_config.presets import PRESETS
from dsql_config.profile import (
    COMPILER_VERSION,
    Layer,
    ParameterClass,
    Profile,
    Request,
    Resolved,
    Step,
)
from dsql_config.rails import RAILS, Rail
from dsql_config.server.registry import NEWEST, load_registry
from dsql_config.server_key import explain_server_key
from dsql_config.what_if import closure, effects


def explain_key(name: str, profile: Profile | None = None) -> Explanation:
    """Explain a parameter, or what is written under a server key, a variable or a worker option.

    Without a profile the tables are explained, with one its values and their numbers. Raises
    `Rejected` with the nearest name when nothing is called so, and for a stored profile whose
    parameters are not those of this compiler.
    """
    if profile and list(profile.values) != list(PARAMETERS):
        raise Rejected(
            f"the profile is of compiler {profile.compiler_version}, which had other parameters",
            where="profile",
            todo=f"compile it again with this one ({COMPILER_VERSION})",
            code="other-compiler",
        )
    parameter = find(name) or PARAMETERS.get(_option_names().get(_bare(name), ""))
    if parameter is not None:
        return _parameter(name, parameter, profile)
    return explain_server_key(name, load_registry(profile.server_version if profile else NEWEST))


@cache
def _option_names() -> dict[str, str]:
    """Worker options, in lower case, to the parameter that sets them."""
    return {
        target.name.lower(): p.name
        for p in PARAMETERS.values()
        for target in p.writes
        if isinstance(target, GoOption | PythonOption)
    }


def _bare(name: str) -> str:
    """A worker option without the package and type people write before it."""
    return name.lower().removeprefix("worker.").removeprefix("options.")


def _parameter(asked: str, parameter: Parameter, profile: Profile | None) -> KeyExplanation:
    name = parameter.name
    bounds = [b for b in BOUNDS if name in _bound_reads(b)]
    expected = {b.signal: b for b in profile.bounds} if profile else {}
    telemetry = tuple(expected[b.signal] for b in bounds if b.signal in expected)
    return KeyExplanation(
        asked=asked,
        name=name,
        parameter_class=parameter.parameter_class,
        unit=parameter.unit,
        range=range_of(parameter),
        meaning=parameter.why,
        apply=parameter.apply,
        value=profile.value(name) if profile else None,
        layers=tuple(_layers(parameter, profile)),
        depends_on=closure(name),
        moves=tuple(n for n in PARAMETERS if name in closure(n)),
        would_change=tuple(effects(parameter.name, profile)) if profile else (),
        places=places_of(parameter, profile),
        rails=tuple(_watch(r, profile) for r in RAILS if r.id in parameter.rails),
        telemetry=telemetry,
        expected=tuple(
            map(bound_text, telemetry) if profile else (f"{b.signal}: {b.why}" for b in bounds)
        ),
    )


def range_of(parameter: Parameter) -> str:
    """The values that a parameter takes, in words."""
    match parameter.kind:
        case Kind.BOOL:
            return "on or off"
        case Kind.CHOICE:
            return " or ".join(parameter.choices)
        case Kind.TEXT:
            return "a name"
        case Kind.INT | Kind.FLOAT:
            whole = "whole number" if parameter.kind is Kind.INT else "number"
            low, high = show(parameter.minimum), show(parameter.maximum)
            span = f"{low} to {high}" if isfinite(parameter.maximum) else f"at least {low}"
            span = f"{low} alone" if low == high else span
            return f"{whole}, {span} {parameter.unit}".rstrip()


def _bound_reads(bound: Bound) -> set[str]:
    return {name for side in bound.sides if side for name in side.reads}


def _watch(rail: Rail, profile: Profile | None) -> Watch:
    condition = rail.condition
    return Watch(
        rail=rail.id,
        severity=rail.severity,
        bad_when=condition.readable(),
        worked=condition.worked(profile.values) if profile else None,
        broken=bool(condition.evaluate(profile.values)) if profile else None,
        why=rail.why,
        source=sources.row(Layer.GUARD_RAIL, rail.id),
    )


def _layers(parameter: Parameter, profile: Profile | None) -> Iterator[LayerView]:
    """Every layer in the order in which they apply, those that say nothing with the reason."""
    steps = profile.resolved(parameter.name).steps if profile else tuple(_table_steps(parameter))
    for layer in Layer:
        own = tuple(s for s in steps if s.layer is layer)
        said = "" if own else _silence(layer, parameter, profile)
        yield LayerView(layer=layer, steps=own, said=said)


def _table_steps(parameter: Parameter) -> Iterator[Step]:
    """What registry, presets and modifiers say before any of them is chosen."""
    name = parameter.name
    if parameter.base is not None:
        yield Step(
            layer=Layer.REGISTRY, value=parameter.base, why=parameter.why,
            source=sources.row(Layer.REGISTRY, name),
        )  # fmt: skip
    for layer, rows in ((Layer.PRESET, PRESETS), (Layer.MODIFIER, MODIFIERS)):
        for row in rows.values():
            if name in row.values:
                yield Step(
                    layer=layer, value=row.values[name], why=row.name,
                    source=sources.row(layer, row.name),
                )  # fmt: skip


def _silence(layer: Layer, parameter: Parameter, profile: Profile | None) -> str:
    """Why a layer has no step."""
    derivation, enforcement = parameter.derivation, parameter.enforcement
    locked = parameter.parameter_class is ParameterClass.SAFETY
    match layer:
        case Layer.REGISTRY:
            return "no base value"
        case Layer.PRESET | Layer.MODIFIER if profile:
            chosen = profile.preset if layer is Layer.PRESET else profile.modifier
            return f"{chosen} says nothing about it" if chosen else "none chosen"
        case Layer.PRESET | Layer.MODIFIER:
            return f"no {layer} says anything about it"
        case Layer.INPUT:
            return "not answered" if parameter.given else "not a question"
        case Layer.DERIVATION:
            return derivation.readable() if derivation else "none: it is taken as it is"
        case Layer.GUARD_RAIL if enforcement:
            rail, formula = enforcement
            return f"{rail} holds it to {formula.readable()}" + (", as it is" if profile else "")
        case Layer.GUARD_RAIL:
            return "none corrects it"
        case Layer.OVERRIDE if parameter.given:
            return "an answer needs none"
        case Layer.OVERRIDE:
            return "locked: none is taken" if locked else "none"


def explain_preset(name: str, modifier: str | None = None) -> PresetExplanation:
    """Explain a preset at its defaults, by itself or with a modifier, on the newest server.

    Raises `Rejected` with the nearest name for a preset or modifier that is not known.
    """
    profile, preset = _compiled(name, modifier), PRESETS[name]
    return PresetExplanation(
        preset=name,
        modifier=modifier,
        summary=preset.summary,
        above=preset.above,
        up_to=preset.up_to if isfinite(preset.up_to) else None,
        source=sources.row(Layer.PRESET, name),
        values=tuple(map(_value_line, profile.parameters)),
        modifiers=() if modifier else tuple(_modifier_line(profile, m) for m in MODIFIERS),
    )


def _compiled(preset: str, modifier: str | None) -> Profile:
    """A preset at its defaults; raises `Rejected` for a name that is not known."""
    compilation = compile_profile(Request(preset=preset, modifier=modifier))
    if compilation.profile is None:
        first = compilation.findings[0]
        todo = f"did you mean {first.suggestion}?" if first.suggestion else ""
        raise Rejected(first.message, where=first.key, todo=todo, code=first.code)
    return compilation.profile


def _modifier_line(plain: Profile, name: str) -> ModifierLine:
    modified = _compiled(plain.preset, name)
    known = set(plain.findings)
    pairs = zip(plain.parameters, modified.parameters, strict=True)
    return ModifierLine(
        name=name,
        summary=MODIFIERS[name].summary,
        changes=tuple((a.name, a.value, b.value) for a, b in pairs if a.value != b.value),
        findings=tuple(f for f in modified.findings if f not in known),
    )


def explain_profile(profile: Profile) -> ProfileExplanation:
    """Explain a compiled profile as a whole; it needs nothing but the profile."""
    return ProfileExplanation(
        preset=profile.preset,
        modifier=profile.modifier,
        server_version=profile.server_version,
        compiler_version=profile.compiler_version,
        fingerprint=profile.fingerprint,
        given=profile.given,
        values=tuple(map(_value_line, profile.parameters)),
        written=written(profile),
        findings=profile.findings,
        telemetry=profile.bounds,
    )


def _value_line(resolved: Resolved) -> ValueLine:
    last = resolved.steps[-1]
    return ValueLine(
        name=resolved.name,
        parameter_class=resolved.parameter_class,
        value=resolved.value,
        unit=resolved.unit,
        layer=last.layer,
        because=decided_by(last),
        source=last.source,
    )


def decided_by(step: Step) -> str:
    """A step in a few words: the worked formula, or where the value was given."""
    match step.layer:
        case Layer.DERIVATION | Layer.GUARD_RAIL:
            return step.worked or step.why
        case Layer.INPUT | Layer.OVERRIDE:
            return step.source
        case Layer.PRESET | Layer.MODIFIER:
            return step.why.partition(":")[0]
        case Layer.REGISTRY:
            return "the registry's default"
