"""From what files say to parameters: which value each entry and variable pins, and what pins none.

Theory of operation. Every server key and variable that the compiler writes belongs to one
parameter, so reading backwards is a look-up: the entry's value is the parameter's. Absence is a
value, too: a key that a dynamic config lacks has the server's default, and a switch that an
environment lacks has the plugin's. What cannot be a parameter's value (an unknown key, a constraint
the compiler never writes, a value out of range) is listed with its reason; nothing is dropped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import Final

from pydantic import BaseModel, ConfigDict

from copilot_core.values import Scalar
from dsql_config.entries import default_of, region_of
from dsql_config.findings import Finding, Severity
from dsql_config.given import accept
from dsql_config.nearest import nearest
from dsql_config.parameters import PARAMETERS
from dsql_config.parameters.parameter import DynamicKey, Kind, Parameter
from dsql_config.profile import Given, ParameterClass
from dsql_config.seen_entries import SeenEntry
from dsql_config.server.limits import LONGEST_KEY, MAX_SUGGESTIONS
from dsql_config.server.registry import ServerRegistry
from dsql_config.variables import PLUGIN_DEFAULTS, compiled, other, shown_value
from dsql_config.written import SeenVariable

_NAMESPACE: Final = "namespace"
_REGION: Final = "REGION"


@dataclass(frozen=True, slots=True)
class Pin:
    """A parameter's value as files say it; `source` is `file:line`, or names the default. `said` is
    the entry or variable that says it, None for a default and for what was given."""

    value: Scalar
    source: str
    said: SeenEntry | SeenVariable | None = None


class Unattributed(BaseModel):
    """Something that a file says and that no preset, modifier, input or override accounts for. The
    value of a variable that the compiler never writes is not shown: it may be a credential."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    line: int
    key: str
    value: Scalar
    reason: str


@dataclass(slots=True)
class Attribution:
    """What files pin, by parameter, and what they say beyond that.

    `seen` are the variables by name that count, None where no environment was read.
    """

    pins: dict[str, Pin] = field(default_factory=dict)
    seen: dict[str, SeenVariable] | None = None
    unattributed: list[Unattributed] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def left_over(self, said: SeenEntry | SeenVariable, reason: str) -> None:
        """List something with the reason why it is not attributed."""
        if isinstance(said, SeenEntry):
            key, value = said.key, said.value
        else:
            key, value = said.name, shown_value(said.name, said.value)
        self.unattributed.append(
            Unattributed(file=said.file, line=said.line, key=key, value=value, reason=reason)
        )

    def pin(self, parameter: Parameter, said: SeenEntry | SeenVariable) -> None:
        """Take a value for a parameter's, or list it with the reason why it cannot be one."""
        source = said.place
        given = Given(name=parameter.name, value=said.value, source=source)
        accepted, findings = accept((given,))
        if findings:
            locked = parameter.parameter_class is ParameterClass.SAFETY
            why = f"{parameter.name} is locked: {parameter.why}" if locked else findings[0].message
            self.left_over(said, why)
            return
        value = accepted[parameter.name].value
        earlier = self.pins.setdefault(parameter.name, Pin(value, source, said))
        if earlier.value != value:
            self.left_over(said, f"{parameter.name} is {earlier.value} at {earlier.source}")


@cache
def dynamic_keys() -> Mapping[str, tuple[Parameter, DynamicKey]]:
    """Server key in lower case to the parameter that is written there."""
    return MappingProxyType(
        {
            target.key.lower(): (parameter, target)
            for parameter in PARAMETERS.values()
            for target in parameter.writes
            if isinstance(target, DynamicKey)
        }
    )


def attribute(
    entries: Sequence[SeenEntry] | None,
    variables: Sequence[SeenVariable] | None,
    *,
    registry: ServerRegistry,
    namespace: str | None,
) -> Attribution:
    """Attribute what was read; None stands for a kind of file that was not there.

    `namespace` is the workload's where it is known from elsewhere; otherwise it is the one that
    most entries of partitions and per-namespace limits are for.
    """
    found = Attribution()
    if entries is not None:
        _attribute_entries(found, entries, registry, namespace)
    if variables is not None:
        _attribute_variables(found, variables)
        _unlock(found)
    return found


def _attribute_entries(
    found: Attribution,
    entries: Sequence[SeenEntry],
    registry: ServerRegistry,
    namespace: str | None,
) -> None:
    workload = namespace_of(entries, namespace)
    ours = ((_NAMESPACE, workload),)
    narrow = {e.key for e in entries if e.constraints == ours}
    strangers: dict[str, str] = {}
    for entry in entries:
        parameter, target = dynamic_keys().get(entry.key.lower(), (None, None))
        if entry.ignored:
            found.left_over(entry, entry.ignored)
        elif parameter is None or target is None:
            found.left_over(entry, _why_not_ours(entry.key, registry, strangers))
        elif entry.constraints == (ours if target.in_namespace else ()):
            found.pin(parameter, entry)
        elif target.in_namespace and not entry.constraints and entry.key not in narrow:
            found.pin(parameter, entry)
            found.findings.append(_wider(entry, workload))
        else:
            found.left_over(entry, _why_other_constraints(entry, target, workload))
    if at := next((e for e in entries if e.constraints == ours and _ours(e)), None):
        found.pins[_NAMESPACE] = Pin(workload, at.place)
    _pin_server_defaults(found, registry)


def namespace_of(entries: Sequence[SeenEntry], known: str | None) -> str:
    """The workload's namespace: the known one where entries are for it, else the commonest, else
    the known one or the registry's own."""
    counts = Counter(
        e.constraints[0][1]
        for e in entries
        if len(e.constraints) == 1 and e.constraints[0][0] == _NAMESPACE and _ours(e)
    )
    if known in counts or not counts:
        return str(PARAMETERS[_NAMESPACE].base) if known is None else known
    return counts.most_common(1)[0][0]


def _ours(entry: SeenEntry) -> bool:
    """Whether an entry for a namespace is one that the compiler could write."""
    _, target = dynamic_keys().get(entry.key.lower(), (None, None))
    if target is None or not target.in_namespace or entry.ignored:
        return False
    name = Given(name=_NAMESPACE, value=entry.constraints[0][1], source=entry.file)
    return not accept((name,))[1]


def _why_not_ours(key: str, registry: ServerRegistry, strangers: dict[str, str]) -> str:
    """The reason for a key; `strangers` keeps those of unknown ones, of which the first few are
    answered with what was meant."""
    if registry.find(key):
        return "a setting of the server that the compiler leaves at its default"
    if key not in strangers:
        answered = len(strangers) < MAX_SUGGESTIONS
        strangers[key] = _why_unknown(key, registry, answered=answered)
    return strangers[key]


def _why_unknown(key: str, registry: ServerRegistry, *, answered: bool) -> str:
    from dsql_config.server.names import suggest  # 25 ms that a file without mistakes does not pay

    instead = suggest(key[:LONGEST_KEY], registry) if answered else None
    hints = [
        *([f"the nearest is {instead.key}"] if instead and instead.key else []),
        *([instead.note] if instead and instead.note else []),
    ]
    return "; ".join([f"server {registry.version} does not know this key", *hints])


def _why_other_constraints(entry: SeenEntry, target: DynamicKey, workload: str) -> str:
    if not entry.constraints:
        return f"namespace {workload} has an entry of its own; this one is for all others"
    what = ", ".join(f"{name} {value}" for name, value in entry.constraints)
    usual = f"namespace {workload}" if target.in_namespace else "no constraint"
    return f"it holds for {what}; the compiler writes this key with {usual}"


def _wider(entry: SeenEntry, workload: str) -> Finding:
    return Finding(
        severity=Severity.WARNING, code="wider-than-compiled", key=entry.key,
        message=f"{entry.file}:{entry.line} sets it for every namespace and for the server's own "
        f"queues; compiled files set it for namespace {workload} alone",
    )  # fmt: skip


def _pin_server_defaults(found: Attribution, registry: ServerRegistry) -> None:
    """A key that the files lack has the default of the server that runs on them."""
    source = f"default of server {registry.version}"
    for parameter, target in dynamic_keys().values():
        setting = registry.find(target.key)
        default = default_of(setting) if setting else None
        if default is not None and parameter.name not in found.pins:
            _pin_default(found, parameter, default, source)


def _pin_default(found: Attribution, parameter: Parameter, default: Scalar, source: str) -> None:
    accepted, _ = accept((Given(name=parameter.name, value=default, source=source),))
    if parameter.name in accepted:
        found.pins[parameter.name] = Pin(accepted[parameter.name].value, source)


def _attribute_variables(found: Attribution, variables: Sequence[SeenVariable]) -> None:
    found.seen = {v.name: v for v in variables if not v.ignored}
    left = 0
    for variable in variables:
        row = compiled().get(variable.name)
        if variable.ignored:
            found.left_over(variable, variable.ignored)
        elif row:
            found.pin(row.parameter, variable)
        elif variable.name != _REGION:
            left += 1
            why = _why_not_written(variable.name, answered=left <= MAX_SUGGESTIONS)
            found.left_over(variable, why)
    if region := found.seen.get(_REGION):
        endpoint = found.pins.get("dsql_endpoint")
        if endpoint is None or region_of(str(endpoint.value)) != region.value:
            found.left_over(region, "no endpoint in these files has this region")
    if not found.seen.keys() & compiled().keys():
        return
    for name, row in compiled().items():
        absent = name not in found.seen and row.target.when is None
        if absent and name in PLUGIN_DEFAULTS and row.parameter.name not in found.pins:
            _pin_default(found, row.parameter, PLUGIN_DEFAULTS[name], "default of the DSQL plugin")


def _why_not_written(name: str, *, answered: bool) -> str:
    if row := other(name):
        return row.why
    near = nearest(name, compiled()) if answered else None
    return f"no variable that is known here{f'; the nearest is {near}' if near else ''}"


def _unlock(found: Attribution) -> None:
    """A locked parameter that follows from one choice alone tells that choice."""
    for name, pin in tuple(found.pins.items()):
        parameter = PARAMETERS[name]
        formula = parameter.derivation
        if parameter.parameter_class is not ParameterClass.SAFETY or formula is None:
            continue
        chosen = PARAMETERS[formula.reads[0]]
        if len(formula.reads) == 1 and chosen.kind is Kind.CHOICE:
            fitting = (c for c in chosen.choices if formula.evaluate({chosen.name: c}) == pin.value)
            if (choice := next(fitting, None)) is not None:
                found.pins.setdefault(chosen.name, Pin(choice, pin.source, pin.said))
