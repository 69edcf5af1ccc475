"""One side of a difference: a configuration that is known whole, or what foreign files say.

Theory of operation. Files with an origin (a stored profile, a head that reads back) give a profile;
edits made since are part of it. Every side also gives what its files say, spot by spot: a server
key with its constraints, or a variable. What a side does not say at a spot is the less constrained
entry, else the default.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Final

from copilot_core.values import Scalar
from dsql_config.decompile import decompile
from dsql_config.entries import default_of
from dsql_config.findings import Finding
from dsql_config.given import accept
from dsql_config.origin import origin_of, registry_of, warning
from dsql_config.profile import Given, Profile
from dsql_config.seen_entries import Constraints, SeenEntry
from dsql_config.server.go_values import duration_ns
from dsql_config.server.registry import ServerRegistry, ValueKind
from dsql_config.variables import PLUGIN_DEFAULTS, compiled, shown_value
from dsql_config.written import SeenVariable, identify, read

_READ: Final = ("dynamicconfig.yaml", "dsql.env")
"""Files of an output folder that a server and its plugin read."""


@dataclass(frozen=True, slots=True, order=True)
class Spot:
    """A place where files say a value: a server key with constraints, or (`constraints` None) an
    environment variable."""

    key: str
    constraints: Constraints | None

    def __str__(self) -> str:
        told = ", ".join(f"{name} {value}" for name, value in self.constraints or ())
        return f"{self.key} ({told})" if told else self.key


@dataclass(frozen=True, slots=True)
class Side:
    """What stands on one side. `entries` and `variables` are None where no such file was read;
    `profile` is None where nobody knows what the files were compiled from."""

    profile: Profile | None
    entries: Mapping[Spot, Scalar] | None
    variables: Mapping[Spot, Scalar] | None
    registry: ServerRegistry
    findings: tuple[Finding, ...]

    def label(self) -> dict[str, str | None]:
        """Preset, modifier and server version, as far as they are known."""
        profile = self.profile
        return {
            "preset": profile.preset if profile else None,
            "modifier": profile.modifier if profile else None,
            "server_version": str(self.registry.version),
        }

    def at(self, spot: Spot) -> Scalar | None:
        """What counts at a spot; None where nothing is said and no default is known."""
        if spot.constraints is None:
            return (self.variables or {}).get(spot, PLUGIN_DEFAULTS.get(spot.key))
        said = self.entries or {}
        for place in (spot, Spot(spot.key, ())):
            if place in said:
                return said[place]
        setting = self.registry.find(spot.key)
        return default_of(setting) if setting else None

    def shown_at(self, spot: Spot) -> Scalar | None:
        """What counts at a spot, as far as it may be shown."""
        value = self.at(spot)
        if spot.constraints is None and value is not None:
            return shown_value(spot.key, str(value))
        return value

    def meaning(self, spot: Spot) -> Scalar | None:
        """What counts at a spot, so that equal meanings are equal: durations in nanoseconds, a
        variable as its parameter reads it."""
        value = self.at(spot)
        if value is None:
            return None
        if spot.constraints is None:
            row = compiled().get(spot.key)
            return _as_read(row.parameter.name, value) if row else value
        setting = self.registry.find(spot.key)
        match setting.kind if setting else None:
            case ValueKind.DURATION:
                return duration_ns(value)
            case ValueKind.FLOAT:
                return float(value)
            case _:
                return value

    def unexplained(self) -> frozenset[Spot]:
        """Spots where the files say what their own profile does not; all of them without one."""
        profile = self.profile
        whole = {**_entries_of(profile), **_variables_of(profile)} if profile else {}
        said = {**(self.entries or {}), **(self.variables or {})}
        return frozenset(spot for spot, value in said.items() if whole.get(spot) != value)


def _as_read(parameter: str, value: Scalar) -> Scalar:
    accepted, _ = accept((Given(name=parameter, value=value, source=""),))
    return accepted[parameter].value if parameter in accepted else value


def _entries_of(profile: Profile) -> Mapping[Spot, Scalar]:
    return {
        Spot(e.key, tuple(sorted((n.lower(), str(v)) for n, v in e.constraints.items()))): e.value
        for e in profile.dynamic_config
        if e.written
    }


def _variables_of(profile: Profile) -> Mapping[Spot, Scalar]:
    return {Spot(v.name, None): v.value for v in profile.environment}


def side_of(texts: Sequence[tuple[str, bytes]], *, server_version: str | None = None) -> Side:
    """The side that files given as (name, content) are.

    `server_version` is that of the server which runs on them, None as for `decompile`; raises
    `Rejected` when it is not known.
    """
    sources = tuple(identify(name, data) for name, data in texts)
    origin, told = origin_of(sources)
    registry, unknown = registry_of(server_version, origin)
    said = read(sources, registry)
    entries = said.entries or ()
    findings = (
        *told, *unknown, *said.findings,
        *_absent(texts), *(f for e in entries if (f := _without_effect(e, registry))),
    )  # fmt: skip
    side = Side(
        None,
        None if said.entries is None else _seen_entries(said.entries, registry),
        None if said.variables is None else _seen_variables(said.variables),
        registry,
        findings,
    )
    stored = next((s.profile for s in sources if s.profile), None)
    if stored and _says(side, stored):
        return _with_profile(side, stored)
    if origin is None:
        return side
    decompiled = decompile(texts, server_version=server_version)
    known = decompiled.profile if decompiled.origin else None
    return _with_profile(side, known) if known else side


def _with_profile(side: Side, profile: Profile) -> Side:
    """A side with its profile, which also stands in for files that were not read."""
    return replace(
        side,
        profile=profile,
        entries=_entries_of(profile) if side.entries is None else side.entries,
        variables=_variables_of(profile) if side.variables is None else side.variables,
    )


def _says(side: Side, profile: Profile) -> bool:
    """Whether the files of a side say what a profile says, no more and no less."""
    return (side.entries is None or side.entries == _entries_of(profile)) and (
        side.variables is None or side.variables == _variables_of(profile)
    )


def _seen_entries(entries: Sequence[SeenEntry], registry: ServerRegistry) -> Mapping[Spot, Scalar]:
    """The first entry of each spot, which is the one that counts; what the server ignores does not
    count."""
    counting = [e for e in entries if not e.ignored and registry.find(e.key)]
    return {Spot(e.key, e.constraints): e.value for e in reversed(counting)}


def _without_effect(entry: SeenEntry, registry: ServerRegistry) -> Finding | None:
    """A warning of an entry that the server ignores; None for one that counts."""
    why = entry.ignored
    if registry.find(entry.key) is None:
        why = f"server {registry.version} does not know it"
    if why is None:
        return None
    return warning("ignored-by-server", entry.key, f"{why}, so it changes nothing ({entry.place})")


def _absent(texts: Sequence[tuple[str, bytes]]) -> Iterator[Finding]:
    """A warning of each file that an output folder has lost; its profile stands in for it."""
    folders = {PurePath(name).parent for name, _ in texts if PurePath(name).name == "profile.json"}
    there = {PurePath(name) for name, _ in texts}
    if len(texts) > 1:
        for place in (folder / name for folder in sorted(folders) for name in _READ):
            if place not in there:
                yield warning("file-absent", str(place), "it is gone; profile.json stands in")


def _seen_variables(variables: Sequence[SeenVariable]) -> Mapping[Spot, Scalar]:
    return {Spot(v.name, None): v.value for v in variables if not v.ignored}
