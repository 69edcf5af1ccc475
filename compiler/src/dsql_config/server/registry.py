"""What each supported Temporal server knows: its dynamic-config settings, release by release.

Theory of operation. `data/registries.json` holds, for every key that any supported release knows,
the history of its setting: an entry for each release in which something changed. A registry is that
history folded up to one release: an entry sets names, drops names, or ends the setting. Folding is
all that happens here; the data was read from inside the servers (see `data/README.md`).

A key is matched without regard to case, as the server does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import orjson
from packaging.version import Version

from copilot_core.errors import Rejected
from dsql_config.server.dsql_fork import dsql_fork_default, in_dsql_fork
from dsql_config.server.setting import (
    NIL,
    Always,
    ByConstraints,
    Converter,
    Default,
    Field,
    Json,
    Nil,
    Schema,
    Scope,
    Setting,
    ValueKind,
)

__all__ = [
    "NEWEST",
    "NIL",
    "SUPPORTED",
    "Always",
    "ByConstraints",
    "Converter",
    "Default",
    "Field",
    "Json",
    "Nil",
    "Presence",
    "Schema",
    "Scope",
    "ServerRegistry",
    "Setting",
    "ValueKind",
    "dsql_fork_default",
    "in_dsql_fork",
    "load_registry",
    "presence",
    "resolve_version",
]

SUPPORTED: Final = tuple(
    Version(text) for text in ("1.27.3", "1.28.1", "1.29.7", "1.30.8", "1.31.4", "1.32.1")
)
"""The releases whose registries are known, oldest first: one for each minor."""

NEWEST: Final = SUPPORTED[-1]

# Not importlib.resources: its imports take longer than reading and folding the data.
_FOLDER: Final = Path(__file__).parent / "data"

_RELEASE: Final = re.compile(r"v?(?P<major>\d{1,4})\.(?P<minor>\d{1,4})(?:\.\d{1,4})?", re.ASCII)


def resolve_version(text: str) -> Version:
    """The supported release for a minor ("1.31") or any patch of it ("1.31.2", "v1.31.4").

    Settings do not change between patches of a minor but for rare backports, so the registry of the
    minor stands for all of them. Raises `Rejected` (`unknown-server-version`) for anything else.
    """
    if match := _RELEASE.fullmatch(text.strip()):
        minor = (int(match["major"]), int(match["minor"]))
        for version in SUPPORTED:
            if (version.major, version.minor) == minor:
                return version
    known = ", ".join(f"{v.major}.{v.minor} (as {v})" for v in SUPPORTED)
    raise Rejected(
        f"no registry of Temporal server {text[:40]!r}",
        where="server version",
        todo=f"choose one of {known}",
        code="unknown-server-version",
    )


@dataclass(frozen=True, slots=True)
class Presence:
    """Which supported releases know a key, oldest first; `key` is spelled as the newest does."""

    key: str
    versions: tuple[Version, ...]


class ServerRegistry:
    """The settings of one release, and what its loader accepts as constraints.

    `constraints` maps the names that the loader takes to the scopes that they are valid for;
    `task_queue_types` and `history_task_types` map the names that it takes as the value of
    `taskType` and `historyTaskType` to their numbers. Those names are matched in their case,
    the names of constraints are not.
    """

    def __init__(self, version: Version) -> None:
        data, release = _data(), SUPPORTED.index(version)
        self.version: Final = version
        self.constraints: Final[Mapping[str, frozenset[Scope]]] = MappingProxyType(
            {n: frozenset(map(Scope, s)) for n, s in _at(data["constraints"], release).items()}
        )
        self.task_queue_types: Final[Mapping[str, int]] = MappingProxyType(
            _at(data["task_queue_types"], release)
        )
        self.history_task_types: Final[Mapping[str, int]] = MappingProxyType(
            _at(data["history_task_types"], release)
        )
        self._unread: Final = tuple(_at(data["unread"], release)["prefixes"])
        states = ((row, _at(row["history"], release)) for row in data["settings"])
        settings = (_setting(row, state) for row, state in states if state)
        self._by_lower: Final = {setting.key.lower(): setting for setting in settings}

    def find(self, key: str) -> Setting | None:
        """The setting of a key in any case; None when this release does not know it."""
        return self._by_lower.get(key.lower())

    def unread(self, key: str) -> bool:
        """Whether this release may know a key that `find` does not.

        So it is for keys of a module that the release links in a version that could not be had when
        the registry was read.
        """
        return key.lower() not in self._by_lower and key.lower().startswith(self._unread)

    def settings(self) -> Mapping[str, Setting]:
        """All settings, by the spelling of their keys, in the order of the lower-cased keys."""
        return MappingProxyType({s.key: s for s in self._by_lower.values()})

    def __iter__(self) -> Iterator[Setting]:
        return iter(self._by_lower.values())

    def __len__(self) -> int:
        return len(self._by_lower)


@cache
def _registry(version: Version) -> ServerRegistry:
    return ServerRegistry(version)


def load_registry(version: Version | str) -> ServerRegistry:
    """The registry of a release, read once.

    A text, or a version that is not in `SUPPORTED`, goes through `resolve_version` and may be
    `Rejected`.
    """
    return _registry(version if version in SUPPORTED else resolve_version(str(version)))


def presence(key: str) -> Presence:
    """Which releases know a key, in any case; `versions` is empty when none does."""
    found = [(v, s) for v in SUPPORTED if (s := load_registry(v).find(key))]
    return Presence(
        key=found[-1][1].key if found else key,
        versions=tuple(version for version, _ in found),
    )


@cache
def _data() -> dict[str, Any]:
    return orjson.loads((_FOLDER / "registries.json").read_bytes())


def _at(history: Sequence[Mapping[str, Any]], release: int) -> dict[str, Any]:
    """The state at a release (its place in `SUPPORTED`); empty where there is none."""
    state: dict[str, Any] = {}
    for entry in history:
        if _place(entry["since"]) > release:
            break
        if "gone" in entry:
            state = {}
            continue
        for name in entry.get("drop", ()):
            del state[name]
        state |= entry["set"]
    return state


@cache
def _place(release: str) -> int:
    return SUPPORTED.index(Version(release))


def _setting(row: Mapping[str, Any], state: Mapping[str, Any]) -> Setting:
    kind = ValueKind(state["kind"])
    typed = kind is ValueKind.TYPED
    return Setting(
        key=row["key"],
        kind=kind,
        go_type=state["go_type"] if typed else "",
        scope=Scope(state["scope"]),
        default=_default(kind, state),
        converter=Converter(state["converter"] if typed else kind),
        schema=_schema(state["schema"]) if typed else _SCALARS[kind],
    )


def _default(kind: ValueKind, state: Mapping[str, Any]) -> Default:
    if "by_constraints" in state:
        rows = state["by_constraints"]
        return ByConstraints(tuple((row["constraints"], row["value"]) for row in rows))
    value = state["default"]
    if value is None:
        return NIL
    return Always(float(value) if kind is ValueKind.FLOAT else value)


_SCALARS: Final = {
    ValueKind.INT: Schema("int"),
    ValueKind.FLOAT: Schema("float64"),
    ValueKind.BOOL: Schema("bool"),
    ValueKind.DURATION: Schema("duration"),
    ValueKind.STRING: Schema("string"),
    ValueKind.MAP: Schema("map", key=Schema("string"), of=Schema("any")),
}


def _schema(data: Mapping[str, Any]) -> Schema:
    return Schema(
        kind=data["kind"],
        name=data.get("name", ""),
        fields=tuple(_field(field) for field in data.get("fields", ())),
        values=MappingProxyType(data.get("values", {})),
        key=_schema(data["key"]) if "key" in data else None,
        of=_schema(data["of"]) if "of" in data else None,
        length=data.get("length", 0),
    )


def _field(data: Mapping[str, Any]) -> Field:
    return Field(
        name=data["name"],
        schema=_schema(data["schema"]),
        tag=data.get("tag", ""),
        embedded=data.get("embedded", False),
        unexported=data.get("unexported", False),
    )
