"""From a request to a profile: resolve every parameter, judge the whole, decide what is written.

Theory of operation. `compile_profile` never stops at the first mistake. It reads what was given,
walks the registry in an order in which every formula finds its parameters, and notes each layer
that touched a value; then the guard rails judge, and each dynamic-config entry is held against the
registry of the server it is for. Errors do not prevent a profile, they forbid writing it: the
caller asks `Compilation.writable`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from copilot_core.errors import Rejected
from copilot_core.values import Scalar
from dsql_config import sources
from dsql_config.bounds import expected
from dsql_config.entries import entries_of, never_read, region_of, variables_of
from dsql_config.findings import Finding, Severity, blocking
from dsql_config.formulas import show
from dsql_config.given import Accepted, accept
from dsql_config.modifiers import MODIFIERS, Modifier
from dsql_config.nearest import nearest
from dsql_config.parameters import PARAMETERS, dependencies, order
from dsql_config.parameters.parameter import Parameter
from dsql_config.presets import PRESETS, Preset
from dsql_config.profile import Layer, ParameterClass, Profile, Request, Resolved, Step
from dsql_config.rails import RAILS, judge
from dsql_config.server.registry import NEWEST, ServerRegistry, load_registry


@dataclass(frozen=True, slots=True)
class Compilation:
    """What came of a request: a profile unless its preset, modifier or server is unknown, and all
    findings."""

    profile: Profile | None
    findings: tuple[Finding, ...]

    @property
    def writable(self) -> bool:
        """Whether files may be written from it."""
        return self.profile is not None and not blocking(self.findings)


def compile_profile(request: Request) -> Compilation:
    """Resolve a request.

    Findings come in this order: names (preset, modifier, server), given values, guard rails,
    entries.
    """
    preset, modifier, registry, unknown = _named(request)
    accepted, misread = accept(request.given)
    if preset is None or registry is None or (request.modifier and modifier is None):
        return Compilation(None, (*unknown, *misread))
    resolved, locked = _resolve(preset, modifier, accepted)
    values = {r.name: r.value for r in resolved}
    entries, refused = entries_of(values, registry)
    findings = (
        *_stand_in(request.server_version, registry), *misread, *locked, *judge(values),
        *_beyond(resolved), *_idle(accepted, values), *_outside(preset, values),
        *_missing(values), *refused,
    )  # fmt: skip
    profile = Profile(
        preset=preset.name,
        modifier=modifier.name if modifier else None,
        server_version=str(registry.version),
        given=request.given,
        parameters=resolved,
        dynamic_config=entries,
        environment=variables_of(values),
        bounds=expected(values),
        findings=findings,
    )
    return Compilation(profile, findings)


def _named(
    request: Request,
) -> tuple[Preset | None, Modifier | None, ServerRegistry | None, tuple[Finding, ...]]:
    """Preset, modifier and server registry by name, and a finding for each that is not known."""
    findings: list[Finding] = []
    preset = PRESETS.get(request.preset)
    if preset is None:
        findings.append(_no_such("preset", request.preset, tuple(PRESETS)))
    modifier = MODIFIERS.get(request.modifier) if request.modifier else None
    if request.modifier and modifier is None:
        findings.append(_no_such("modifier", request.modifier, tuple(MODIFIERS)))
    registry = None
    try:
        registry = load_registry(request.server_version or NEWEST)
    except Rejected as e:
        findings.append(
            Finding(
                severity=Severity.ERROR, code="unknown-server-version", key="server_version",
                message=e.what, suggestion=e.todo,
            )
        )  # fmt: skip
    return preset, modifier, registry, tuple(findings)


def _stand_in(asked: str | None, registry: ServerRegistry) -> tuple[Finding, ...]:
    """That a patch was asked for whose registry is that of another patch of its minor."""
    patch = (asked or "").strip().removeprefix("v")
    if patch.count(".") < len("..") or patch == str(registry.version):
        return ()
    return (
        Finding(
            severity=Severity.INFO, code="server-stands-in", key="server_version",
            message=f"the settings of {registry.version} stand for those of {patch}: between "
            "patches of a minor they hardly change",
        ),
    )  # fmt: skip


def _no_such(what: str, name: str, names: tuple[str, ...]) -> Finding:
    return Finding(
        severity=Severity.ERROR, code=f"unknown-{what}", key=what,
        message=f"no {what} is called {name!r}; there are {', '.join(names)}",
        suggestion=nearest(name, names),
    )  # fmt: skip


def _resolve(
    preset: Preset, modifier: Modifier | None, accepted: Mapping[str, Accepted]
) -> tuple[tuple[Resolved, ...], tuple[Finding, ...]]:
    """Every parameter in registry order, and a finding per refused override."""
    values: dict[str, Scalar] = {}
    steps: dict[str, tuple[Step, ...]] = {}
    locked: list[Finding] = []
    for name in order():
        parameter = PARAMETERS[name]
        history = _starting_steps(parameter, preset, modifier)
        wanted = accepted.get(name)
        if wanted and parameter.given:
            history.append(_step(Layer.INPUT, wanted.value, wanted.source, "you answered it"))
        history += _derived_steps(parameter, history[-1].value if history else None, values)
        if wanted and not parameter.given:
            if parameter.parameter_class is ParameterClass.SAFETY:
                locked += _locked(parameter, wanted, history[-1].value)
            elif wanted.value != history[-1].value:
                history.append(
                    _step(Layer.OVERRIDE, wanted.value, wanted.source, "you set it yourself")
                )
        values[name], steps[name] = history[-1].value, tuple(history)
    resolved = tuple(
        Resolved(
            name=p.name, value=values[p.name], unit=p.unit, parameter_class=p.parameter_class,
            apply=p.apply, steps=steps[p.name], reads=dependencies(p),
        )
        for p in PARAMETERS.values()
    )  # fmt: skip
    return resolved, tuple(locked)


def _starting_steps(parameter: Parameter, preset: Preset, modifier: Modifier | None) -> list[Step]:
    """Registry, preset and modifier, as far as each says something."""
    name, steps = parameter.name, []
    if parameter.base is not None:
        steps.append(
            _step(Layer.REGISTRY, parameter.base, sources.row(Layer.REGISTRY, name), parameter.why)
        )
    if name in preset.values:
        source = sources.row(Layer.PRESET, preset.name)
        steps.append(
            _step(Layer.PRESET, preset.values[name], source, f"{preset.name}: {preset.summary}")
        )
    if modifier and name in modifier.values:
        source = sources.row(Layer.MODIFIER, modifier.name)
        steps.append(
            _step(Layer.MODIFIER, modifier.values[name], source, f"{modifier.name}: {modifier.why}")
        )
    return steps


def _derived_steps(
    parameter: Parameter, base: Scalar | None, values: Mapping[str, Scalar]
) -> list[Step]:
    """The derivation, and a guard rail's correction where it changes the value."""
    steps: list[Step] = []
    local = {} if base is None else {"base": base}
    value = base
    if formula := parameter.derivation:
        value = formula.evaluate(values, **local)
        steps.append(
            Step(
                layer=Layer.DERIVATION, value=value, why=parameter.why,
                source=sources.row(Layer.DERIVATION, parameter.name),
                formula=formula.readable(), worked=formula.worked(values, **local),
            )
        )  # fmt: skip
    if parameter.enforcement and value is not None:
        rail, formula = parameter.enforcement
        corrected = formula.evaluate(values, value=value)
        if corrected != value:
            steps.append(
                Step(
                    layer=Layer.GUARD_RAIL, value=corrected, why=_WHY_RAIL[rail],
                    source=sources.row(Layer.GUARD_RAIL, rail),
                    formula=formula.readable(), worked=formula.worked(values, value=value),
                )
            )  # fmt: skip
    return steps


_WHY_RAIL = {rail.id: rail.why for rail in RAILS}


def _step(layer: Layer, value: Scalar, source: str, why: str) -> Step:
    return Step(layer=layer, value=value, source=source, why=why)


def _locked(parameter: Parameter, wanted: Accepted, value: Scalar) -> list[Finding]:
    """A Safety parameter may be named with the value it has anyway, and with no other."""
    if wanted.value == value:
        return []
    reads = ", ".join(dependencies(parameter)) or "nothing: it is fixed"
    return [
        Finding(
            severity=Severity.ERROR, code="locked", key=parameter.name,
            message=f"{parameter.name} is {value} and locked, {wanted.value} was asked for "
            f"({wanted.source}): {parameter.why}",
            suggestion=f"leave it out; it follows from {reads}",
        )
    ]  # fmt: skip


def _beyond(resolved: tuple[Resolved, ...]) -> tuple[Finding, ...]:
    """Derived values that no override could have: what they follow from asks for too much."""
    findings = []
    for r in resolved:
        low, high = PARAMETERS[r.name].minimum, PARAMETERS[r.name].maximum
        if isinstance(r.value, str) or low <= r.value <= high:
            continue
        made = f"{show(r.value)} = {r.steps[-1].worked}"
        findings.append(
            Finding(
                severity=Severity.ERROR, code="beyond-range", key=r.name,
                message=f"{r.name} would be {made}, outside {show(low)} to {show(high)}",
                suggestion=f"change {', '.join(r.reads)}",
            )
        )  # fmt: skip
    return tuple(findings)


def _idle(accepted: Mapping[str, Accepted], values: Mapping[str, Scalar]) -> tuple[Finding, ...]:
    """Overrides that nobody reads in this configuration: all their variables are left out of it."""
    return tuple(
        Finding(
            severity=Severity.WARNING, code="without-effect", key=name,
            message=f"{name} is read only where {condition.readable()} ({accepted[name].source})",
            suggestion="leave it out",
        )
        for name in PARAMETERS
        if name in accepted and PARAMETERS[name].parameter_class is ParameterClass.TUNING
        if (condition := never_read(PARAMETERS[name], values))
    )  # fmt: skip


def _outside(preset: Preset, values: Mapping[str, Scalar]) -> tuple[Finding, ...]:
    """A target that another preset is meant for."""
    target = float(values["state_transitions_per_s"])
    fitting = next(p for p in PRESETS.values() if target <= p.up_to)
    if preset.above <= target <= preset.up_to:
        return ()
    return (
        Finding(
            severity=Severity.WARNING, code="outside-preset", key="state_transitions_per_s",
            message=f"{target:,g}/s; {preset.name} is for {preset.above:g} to {preset.up_to:g}/s",
            suggestion=f"start from {fitting.name}",
        ),
    )  # fmt: skip


def _missing(values: Mapping[str, Scalar]) -> tuple[Finding, ...]:
    """What a deployment needs and the request does not hold."""
    endpoint = str(values["dsql_endpoint"])
    if endpoint and region_of(endpoint) is None:
        return (
            Finding(
                severity=Severity.WARNING, code="no-region", key="dsql_endpoint",
                message=f"no region in {endpoint}: the platform's files ask for REGION",
                suggestion="name it as <id>.dsql.<region>.on.aws",
            ),
        )  # fmt: skip
    if endpoint:
        return ()
    return (
        Finding(
            severity=Severity.INFO, code="no-endpoint", key="dsql_endpoint",
            message="no DSQL endpoint: the platform's files ask for CLUSTER_ENDPOINT and REGION",
            suggestion="--set dsql_endpoint=<id>.dsql.<region>.on.aws",
        ),
    )  # fmt: skip
