"""What differs between two configurations, in meaning: which value, why, and what it takes.

Theory of operation. Two configurations whose requests are known (output folders, profiles, files
with a readable head) are compared parameter by parameter, and every change is traced to what moved
it (`causes`). Of foreign files nobody knows how their values came about: they are compared by
server key and variable, and an absent one has its default, so that removing what only repeated the
default is no change.

    live       the running process takes it up by itself
    restart    the process reads it when it starts
    recreate   fixed for the life of what it belongs to
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from copilot_core.configuration import ConfigChange
from copilot_core.errors import Defect
from copilot_core.values import Apply, Scalar
from dsql_config.attribution import dynamic_keys
from dsql_config.causes import Moved, differs
from dsql_config.compiler import compile_profile
from dsql_config.findings import Finding, blocking
from dsql_config.formulas import show
from dsql_config.parameters import PARAMETERS
from dsql_config.parameters.parameter import DynamicKey, Env, Parameter
from dsql_config.profile import Profile, Request
from dsql_config.seen_entries import Constraints
from dsql_config.sides import Side, Spot, side_of
from dsql_config.variables import compiled
from dsql_config.written import load


class Change(ConfigChange):
    """One difference. `key` is the server key or variable that it shows in, null where it is
    written into neither; `parameter` is that key where no parameter stands behind it."""

    key: str | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """All that differs between two sides, in the registry's order, then by key."""

    before: Side
    after: Side
    changes: tuple[Change, ...]
    findings: tuple[Finding, ...]

    def to_json(self) -> dict[str, Any]:
        """`{before, after, changes, findings}`: the sides as `{preset, modifier, server_version}`,
        a change as `{parameter, key, before, after, unit, apply, why}`."""
        return {
            "before": self.before.label(),
            "after": self.after.label(),
            "changes": [change.model_dump(mode="json") for change in self.changes],
            "findings": [finding.model_dump(mode="json") for finding in self.findings],
        }

    def to_text(self) -> str:
        """The same for people, ending in a line feed."""
        lines = [*self._heading()]
        for c in self.changes:
            unit = f" {c.unit}" if c.unit else ""
            lines += [f"{c.parameter}: {_shown(c.before)} → {_shown(c.after)}{unit}  [{c.apply}]"]
            lines += [f"    because {c.why}"]
        counts = Counter(c.apply for c in self.changes)
        by_apply = ", ".join(f"{counts[a]} {a}" for a in Apply if counts[a])
        none = "not compared" if blocking(self.findings) else "no difference"
        lines.append(f"{len(self.changes)} differences: {by_apply}" if by_apply else none)
        lines += [f"{f.severity}: {f.key}: {f.message}" for f in self.findings]
        return "\n".join(lines) + "\n"

    def _heading(self) -> Iterator[str]:
        if self.before.profile is None or self.after.profile is None:
            return
        then, now = self.before.label(), self.after.label()
        for name, value in now.items():
            if then[name] != value:
                yield f"{name.replace('_', ' ')}: {then[name] or 'none'} → {value or 'none'}"


def _shown(value: Scalar | None) -> str:
    return "(absent)" if value is None else show(value)


def changes_since(
    former: Mapping[str, Scalar] | None, profile: Profile
) -> tuple[ConfigChange, ...]:
    """What a profile changes, for its event: every value that differs from the former ones.

    When nothing was emitted before (None), that is every value: `before` is null, because nobody
    knows what the cluster had, and `why` tells those of the preset from those that differ from it.
    """
    if former is None:
        return tuple(_first(profile))
    moved = Moved(former, None, profile)
    return tuple(_change(moved, name) for name in moved.parameters())


def _first(profile: Profile) -> Iterator[ConfigChange]:
    plain = compile_profile(
        Request(preset=profile.preset, server_version=profile.server_version)
    ).profile
    if plain is None:
        raise Defect(f"preset {profile.preset} alone does not compile")
    moved = Moved(plain.values, plain, profile)
    of_preset = profile.values.keys() - set(moved.parameters())
    for name in profile.values:
        change = _change(moved, name)
        alone = f"preset {profile.preset} alone has {_shown(change.before)}"
        why = f"preset {profile.preset}" if name in of_preset else f"{change.why}; {alone}"
        yield change.model_copy(update={"before": None, "why": why})


def changes_between(before: Profile, after: Profile) -> tuple[Change, ...]:
    """What differs between two profiles, in registry order, each with what moved it."""
    moved = Moved(before.values, before, after)
    return tuple(
        Change(**_change(moved, name).model_dump(), key=_written_as(name))
        for name in moved.parameters()
    )


def _change(moved: Moved, name: str) -> ConfigChange:
    now = next((r for r in moved.after.parameters if r.name == name), None)
    then = moved.before.parameters if moved.before else ()
    known = now or next((r for r in then if r.name == name), None)
    return ConfigChange(
        parameter=name,
        before=moved.former.get(name),
        after=now.value if now else None,
        unit=known.unit if known else "",
        apply=known.apply if known else Apply.RESTART,
        why=moved.why(name),
    )


def _written_as(name: str) -> str | None:
    """The server key or variable that a parameter is written under first."""
    targets = PARAMETERS[name].writes if name in PARAMETERS else ()
    for target in targets:
        if isinstance(target, DynamicKey):
            return target.key
        if isinstance(target, Env):
            return target.name
    return None


def compare(a: Path, b: Path, *, server_version: str | None = None) -> Difference:
    """The difference from A to B: output folders, profiles, dynamic-config or environment files.

    `server_version` is that of the servers which run on foreign files. Raises `Rejected` for a path
    that cannot be read and for a version that is not known.
    """
    before = side_of(load((a,)), server_version=server_version)
    after = side_of(load((b,)), server_version=server_version)
    return difference(before, after)


def difference(before: Side, after: Side) -> Difference:
    """The difference between two sides that were read."""
    changes: tuple[Change, ...] = ()
    if before.profile and after.profile:
        changes = changes_between(before.profile, after.profile)
        spots = before.unexplained() | after.unexplained()
    else:
        spots = frozenset((*_spots(before), *_spots(after)))
    told = {change.parameter for change in changes}
    by_spot = (_at(spot, before, after) for spot in sorted(spots, key=_place))
    changes += tuple(c for c in by_spot if c and c.parameter not in told)
    return Difference(before, after, changes, (*before.findings, *after.findings))


def _spots(side: Side) -> tuple[Spot, ...]:
    return (*(side.entries or ()), *(side.variables or ()))


def _place(spot: Spot) -> tuple[bool, str, Constraints]:
    """Server keys before variables, each by name."""
    return spot.constraints is None, spot.key.lower(), spot.constraints or ()


def _at(spot: Spot, before: Side, after: Side) -> Change | None:
    """The change at a spot; None where both sides mean the same, or one has no such file at all."""
    is_variable = spot.constraints is None
    said = [s.variables if is_variable else s.entries for s in (before, after)]
    if None in said or not differs(before.meaning(spot), after.meaning(spot)):
        return None
    parameter = _parameter_of(spot)
    return Change(
        parameter=parameter.name if parameter else spot.key,
        key=str(spot),
        before=before.shown_at(spot),
        after=after.shown_at(spot),
        unit=parameter.unit if parameter and not is_variable else "",
        apply=parameter.apply if parameter else _apply_of(spot),
        why=_said_by(spot, before, after),
    )


_AT_START: Final = re.compile(r"cache|evict", re.IGNORECASE)
"""Server keys that are read when a process starts: caches and their eviction are made once."""


def _apply_of(spot: Spot) -> Apply:
    """What it takes until something is in force that no parameter stands for."""
    at_start = spot.constraints is None or _AT_START.search(spot.key)
    return Apply.RESTART if at_start else Apply.LIVE


def _parameter_of(spot: Spot) -> Parameter | None:
    """The parameter that is written at a spot; None where the compiler writes none, as for an entry
    without the namespace that it would have."""
    if spot.constraints is None:
        row = compiled().get(spot.key)
        return row.parameter if row else None
    parameter, target = dynamic_keys().get(spot.key.lower(), (None, None))
    names = tuple(name for name, _ in spot.constraints)
    ours = target is not None and names == (("namespace",) if target.in_namespace else ())
    return parameter if ours else None


def _said_by(spot: Spot, before: Side, after: Side) -> str:
    """What the files themselves tell of a change: set, set anew, or left to a default."""
    then, now = ({**(s.entries or {}), **(s.variables or {})} for s in (before, after))
    if spot in then and spot in now:
        return "it is set to another value"
    if spot in now:
        return "it is set now and was left to its default"
    return "it is no longer set; what is left counts"
