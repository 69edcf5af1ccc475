"""What is written: dynamic-config entries held against the server's registry, and the environment.

Theory of operation. Every key a parameter writes is looked up in the registry of the chosen server.
A key that this server does not know, a value of another type, or a constraint that the setting does
not take is an error: the server would only warn, or say nothing, and go on without it. A value
equal to the server's default is kept in the profile and left out of the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from copilot_core.values import Scalar
from dsql_config.findings import Finding, Severity
from dsql_config.formulas import Formula, parsed, show
from dsql_config.parameters import PARAMETERS
from dsql_config.parameters.parameter import DynamicKey, Env, Form, Parameter
from dsql_config.profile import Entry, Variable
from dsql_config.server.registry import (
    Always,
    ByConstraints,
    Nil,
    Scope,
    ServerRegistry,
    Setting,
    ValueKind,
    in_dsql_fork,
    presence,
)

_NAMESPACED = (Scope.NAMESPACE, Scope.TASKQUEUE, Scope.DESTINATION)
_TAKES = {
    ValueKind.INT: (int,),
    ValueKind.FLOAT: (int, float),
    ValueKind.BOOL: (bool,),
    ValueKind.STRING: (str,),
}
"""Python types that a setting of each kind reads without loss."""


def entries_of(
    values: Mapping[str, Scalar], registry: ServerRegistry
) -> tuple[tuple[Entry, ...], tuple[Finding, ...]]:
    """The dynamic-config entries of resolved values for a server, and what it would not take."""
    entries: list[Entry] = []
    findings: list[Finding] = []
    for parameter in PARAMETERS.values():
        for target in parameter.writes:
            if not isinstance(target, DynamicKey):
                continue
            value = spelled(values[parameter.name], target.form)
            setting = registry.find(target.key)
            problem = _problem(target, setting, value, registry)
            if setting is None or problem:
                findings += [problem] if problem else []
                continue
            default = default_of(setting)
            entries.append(
                Entry(
                    key=setting.key,
                    value=value,
                    constraints={"namespace": values["namespace"]} if target.in_namespace else {},
                    parameter=parameter.name,
                    default="none" if default is None else show(default),
                    written=value != default,
                    in_dsql_fork=in_dsql_fork(setting.key),
                )
            )
    return tuple(entries), tuple(findings)


def default_of(setting: Setting) -> Scalar | None:
    """What the server uses where nothing is set: for a workload, not for its own task queues."""
    match setting.default:
        case Always(value=value):
            found = value
        case ByConstraints(otherwise=value):
            found = value
        case Nil():
            return None
        case _:
            assert_never(setting.default)
    return found if isinstance(found, bool | int | float | str) else None


def _problem(
    target: DynamicKey, setting: Setting | None, value: Scalar, registry: ServerRegistry
) -> Finding | None:
    """Why the server would not take an entry; None when it does."""
    if setting is None:
        from dsql_config.server.names import suggest  # its tables cost what most runs do not need

        near = suggest(target.key, registry)
        known = ", ".join(map(str, presence(target.key).versions)) or "no supported server"
        return Finding(
            severity=Severity.ERROR, code="key-not-in-version", key=target.key,
            message=f"server {registry.version} does not know {target.key}; known to {known}",
            suggestion=near.key if near else None,
        )  # fmt: skip
    takes = _TAKES.get(setting.kind, ())
    if not isinstance(value, takes) or (isinstance(value, bool) and bool not in takes):
        return Finding(
            severity=Severity.ERROR, code="key-of-another-type", key=target.key,
            message=f"{target.key} is {setting.kind} in server {registry.version}, not {value!r}",
        )  # fmt: skip
    if target.in_namespace and setting.scope not in _NAMESPACED:
        return Finding(
            severity=Severity.ERROR, code="key-of-another-scope", key=target.key,
            message=f"{target.key} is {setting.scope} in server {registry.version}: no namespace",
        )  # fmt: skip
    return None


def variables_of(values: Mapping[str, Scalar]) -> tuple[Variable, ...]:
    """The environment variables of resolved values, those whose condition holds."""
    variables = [
        Variable(
            name=target.name,
            value=as_text(spelled(values[parameter.name], target.form)),
            parameter=parameter.name,
        )
        for parameter in PARAMETERS.values()
        for target in parameter.writes
        if isinstance(target, Env) and _holds(target.when, values)
    ]
    endpoint = str(values["dsql_endpoint"])
    if region := region_of(endpoint):
        variables.append(Variable(name="REGION", value=region, parameter="dsql_endpoint"))
    return tuple(variables)


def region_of(endpoint: str) -> str | None:
    """The AWS region in `<id>.dsql[-suffix].<region>.on.aws`; None for another host name."""
    parts = endpoint.split(".")
    is_dsql = len(parts) >= 5 and parts[-2:] == ["on", "aws"] and parts[-4].startswith("dsql")
    return parts[-3] if is_dsql else None


def never_read(parameter: Parameter, values: Mapping[str, Scalar]) -> Formula | None:
    """The condition that keeps a parameter out of every file; None for one that is written, or
    that is there for formulas to read."""
    conditions = [t.when for t in parameter.writes if isinstance(t, Env) and t.when]
    if not conditions or len(conditions) < len(parameter.writes):
        return None
    return None if any(_holds(when, values) for when in conditions) else parsed(conditions[0])


def _holds(when: str | None, values: Mapping[str, Scalar]) -> bool:
    return when is None or bool(parsed(when).evaluate(values))


def spelled(value: Scalar, form: Form) -> Scalar:
    """A value in the form that its target wants."""
    match form:
        case Form.PLAIN | Form.SECONDS:
            return value
        case Form.GO_DURATION:
            return f"{value}s"
        case Form.NOT:
            return not value
        case _:
            assert_never(form)


def as_text(value: Scalar) -> str:
    """A value as an environment variable holds it: `true` and `false` for switches."""
    return str(value).lower() if isinstance(value, bool) else str(value)
