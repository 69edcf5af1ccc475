"""What an installation's variables are worth beside a compiled configuration.

Theory of operation. An installation that was configured by variables keeps working: each one that
the compiler writes counts as an override, on `starter` where no preset is named. Compiling twice,
with the variables and without, tells what each is worth:

    redundant     without it the value is the same, or it follows from another variable
    conflicting   without it the value is another one; keeping it means overriding
    needed        somebody reads it and nothing here derives it
    dead          nobody reads it, or not in this configuration
    unknown       it looks like one of these and is none: misspelt, or another build's

Other variables of a process are none of our business and are left out of the report.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from copilot_core.errors import Rejected
from dsql_config.attribution import Attribution, attribute
from dsql_config.compiler import compile_profile
from dsql_config.entries import as_text, spelled
from dsql_config.findings import Finding, Severity
from dsql_config.formulas import parsed, show
from dsql_config.inference import infer, is_locked, is_needed
from dsql_config.nearest import NEAR, nearest
from dsql_config.parameters import PARAMETERS
from dsql_config.profile import Given, Layer, Profile, Request, Resolved, Step
from dsql_config.server.registry import NEWEST, load_registry
from dsql_config.variables import NOT_SHOWN, OTHERS, Fate, compiled, other
from dsql_config.written import FileKind, SeenVariable, identify, load, read

ENVIRONMENT: Final = "environment"
"""Source of values that come from variables."""

DEFAULT_PRESET: Final = "starter"

_OURS: Final = ("DSQL_", "TEMPORAL_")
_TYPO: Final = 85
"""Likeness in percent of a name that does not begin as ours do: one or two letters differ."""


class Verdict(StrEnum):
    """What a variable is worth."""

    REDUNDANT = "redundant"
    CONFLICTING = "conflicting"
    NEEDED = "needed"
    DEAD = "dead"
    UNKNOWN = "unknown"


class Judged(BaseModel):
    """One variable. `compiled` is the value without it, as a variable would hold it; `suggestion`
    is what to do, or the nearest name. The value of a variable that the compiler does not write is
    not shown: it may be a credential."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    value: str
    verdict: Verdict
    parameter: str | None = None
    compiled: str | None = None
    why: str
    suggestion: str | None = None


@dataclass(frozen=True, slots=True)
class Migration:
    """The report: variables by name, and the preset that would need the fewest of them."""

    preset: str
    modifier: str | None
    variables: tuple[Judged, ...]
    nearest_preset: str
    findings: tuple[Finding, ...]

    def to_json(self) -> dict[str, Any]:
        """`{preset, modifier, nearest_preset, variables, findings}`."""
        return {
            "preset": self.preset,
            "modifier": self.modifier,
            "nearest_preset": self.nearest_preset,
            "variables": [v.model_dump(mode="json") for v in self.variables],
            "findings": [f.model_dump(mode="json") for f in self.findings],
        }

    def to_text(self) -> str:
        """The same for people, a block for each verdict, ending in a line feed."""
        lines = [f"beside preset {self.preset}, modifier {self.modifier or 'none'}"]
        if self.nearest_preset != self.preset:
            lines.append(f"nearest to these variables is preset {self.nearest_preset}")
        for verdict in Verdict:
            rows = [v for v in self.variables if v.verdict is verdict]
            lines += ["", f"{verdict} ({len(rows)})"] if rows else []
            for row in rows:
                lines.append(f"  {row.name}={row.value}")
                lines.append(f"    {row.why}")
                lines += [f"    {row.suggestion}"] if row.suggestion else []
        lines += ["", *(f"{f.severity}: {f.key}: {f.message}" for f in self.findings)]
        return "\n".join(lines).rstrip("\n") + "\n"


def read_environment(paths: Iterable[Path]) -> tuple[dict[str, str], tuple[Finding, ...]]:
    """Variables of environment files, a later one replacing an earlier, and lines that are none.

    Raises `Rejected` for a path that cannot be read.
    """
    sources = [identify(name, data) for name, data in load(paths)]
    said = read(sources, load_registry(NEWEST))
    others = tuple(
        Finding(severity=Severity.ERROR, code="no-environment", key=s.name,
                message="not an environment file: NAME=value lines are wanted")
        for s in sources
        if s.kind is not FileKind.ENVIRONMENT
    )  # fmt: skip
    env = {v.name: v.value for v in said.variables or () if not v.ignored}
    return env, (*others, *said.findings)


def request_from_environment(
    env: Mapping[str, str], *, preset: str = DEFAULT_PRESET, modifier: str | None = None
) -> Request:
    """The request that an installation's variables amount to: each one that the compiler writes is
    given under its own name. An empty one counts as absent.

    A switch that follows from a choice (the limiter's) gives that choice.
    """
    found = _found(env)
    given = [
        Given(
            name=choice or name,
            value=found.pins[choice].value if choice else text,
            source=ENVIRONMENT,
        )
        for name, text in _written(env).items()
        for choice in (_choice(name, found),)
    ]
    return Request(preset=preset, modifier=modifier, given=tuple(given))


def _written(env: Mapping[str, str]) -> dict[str, str]:
    """The variables that the compiler writes and that say something, in registry order."""
    return {name: env[name] for name in compiled() if env.get(name, "").strip()}


def _found(env: Mapping[str, str]) -> Attribution:
    seen = tuple(SeenVariable(ENVIRONMENT, 0, name, text) for name, text in _written(env).items())
    return attribute(None, seen, registry=load_registry(NEWEST), namespace=None)


def _choice(name: str, found: Attribution) -> str | None:
    """The parameter that a variable's own follows from, where the variable tells it."""
    return next(
        (
            parameter
            for parameter, pin in found.pins.items()
            if isinstance(pin.said, SeenVariable) and pin.said.name == name
            if parameter != compiled()[name].parameter.name
        ),
        None,
    )


def migrate(
    env: Mapping[str, str], *, preset: str = DEFAULT_PRESET, modifier: str | None = None
) -> Migration:
    """Judge the variables of an installation beside a preset and a modifier.

    The findings are those of compiling with the variables as they are.
    Raises `Rejected` when there is no such preset or modifier.
    """
    found = _found(env)
    compilation = compile_profile(request_from_environment(env, preset=preset, modifier=modifier))
    if compilation.profile is None:
        unknown = compilation.findings[0]
        raise Rejected(
            unknown.message,
            code=unknown.code,
            findings=tuple(f.message for f in compilation.findings),
        )
    profile = compilation.profile
    judged = (_judge(name, text, profile, found) for name, text in sorted(env.items()))
    return Migration(
        preset=preset,
        modifier=modifier,
        variables=tuple(row for row in judged if row),
        nearest_preset=infer(found, str(NEWEST)).preset if found.seen else preset,
        findings=compilation.findings,
    )


def _judge(name: str, text: str, profile: Profile, found: Attribution) -> Judged | None:
    """The verdict on one variable; None for one that is none of our business."""
    if name == "REGION":
        return _judge_region(text, profile)
    if name in compiled():
        return _judge_compiled(name, text, profile, found)
    if row := other(name):
        verdict = Verdict.NEEDED if row.fate is Fate.NEEDED else Verdict.DEAD
        return Judged(name=name, value=NOT_SHOWN, verdict=verdict, why=row.why)
    known = (*compiled(), *(row.name for row in OTHERS if not row.name.endswith("*")))
    upper = name.upper()
    ours = upper.startswith(_OURS)
    near = nearest(upper, known, at_least=NEAR if ours else _TYPO)
    if near is None and not ours:
        return None
    return Judged(
        name=name, value=NOT_SHOWN, verdict=Verdict.UNKNOWN,
        why="nobody that is known here reads it",
        suggestion=f"did you mean {near}?" if near else None,
    )  # fmt: skip


def _judge_region(text: str, profile: Profile) -> Judged:
    compiled_as = next((v.value for v in profile.environment if v.name == "REGION"), None)
    if compiled_as is None:
        verdict, why = Verdict.NEEDED, "no endpoint is given from which the region could be read"
    elif compiled_as == text:
        verdict, why = Verdict.REDUNDANT, "the endpoint's host name says the same"
    else:
        verdict, why = Verdict.CONFLICTING, f"the endpoint's host name says {compiled_as}"
    return Judged(
        name="REGION", value=text, verdict=verdict, compiled=compiled_as,
        parameter="dsql_endpoint" if compiled_as else None, why=why,
    )  # fmt: skip


def _judge_compiled(name: str, text: str, profile: Profile, found: Attribution) -> Judged:
    """The verdict on a variable that the compiler writes, beside all the others."""
    row = compiled()[name]
    chosen = _choice(name, found)
    resolved = next(r for r in profile.parameters if r.name == (chosen or row.parameter.name))
    without = _without(resolved).value
    verdict, why, suggestion = _worth(name, text, resolved, profile=profile, found=found)
    return Judged(
        name=name, value=text, verdict=verdict, parameter=resolved.name,
        compiled=as_text(without if chosen else spelled(without, row.target.form)),
        why=why, suggestion=suggestion,
    )  # fmt: skip


def _worth(
    name: str, text: str, resolved: Resolved, *, profile: Profile, found: Attribution
) -> tuple[Verdict, str, str | None]:
    """Verdict, reason and suggestion; the first that applies."""
    without, when = _without(resolved), compiled()[name].target.when
    leave_out = f"leave it out: the compiler gives {resolved.name} {show(without.value)}"
    if not text.strip():
        return Verdict.DEAD, "empty, which counts as absent", None
    if unread := next((u.reason for u in found.unattributed if u.key == name), None):
        return Verdict.CONFLICTING, unread, leave_out
    if when and not parsed(when).evaluate(profile.values):
        return Verdict.DEAD, f"read only where {parsed(when).readable()}", None
    pin = found.pins.get(resolved.name)
    if is_locked(resolved.name) and pin and pin.value != resolved.value:
        locked = f"{resolved.name} is locked: {PARAMETERS[resolved.name].why}"
        return Verdict.CONFLICTING, locked, leave_out
    if without.value == "":
        meaning = PARAMETERS[resolved.name].why
        keep = f"keep it, or give {resolved.name} as an input"
        return Verdict.NEEDED, f"{resolved.name} has no other source: {meaning}", keep
    told = _told(resolved, without)
    if is_needed(resolved):
        keep = f"--set {resolved.name}={as_text(resolved.value)} keeps it, or {leave_out}"
        return Verdict.CONFLICTING, f"without it {told}", keep
    return Verdict.REDUNDANT, f"the compiler gives it: {told}", None


def _without(resolved: Resolved) -> Step:
    """The step that would be the last one if the variable were absent."""
    steps = resolved.steps
    is_given = steps[-1].layer in (Layer.INPUT, Layer.OVERRIDE)
    return steps[-2] if is_given and len(steps) > 1 else steps[-1]


def _told(resolved: Resolved, step: Step) -> str:
    """A value with how it comes about."""
    unit = f" {resolved.unit}" if resolved.unit else ""
    how = f"{step.formula} = {step.worked}" if step.worked else f"{step.layer}: {step.why}"
    return f"{resolved.name} is {show(step.value)}{unit} ({how})"
