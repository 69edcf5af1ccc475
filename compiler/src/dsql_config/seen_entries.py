"""The entries of a dynamic-config file, each with the value that the server makes of it.

Theory of operation. `server.yaml_dialect` reads the file as the server's loader does; here each
entry gets the spelling of its key and the value of its setting. An entry that the server passes
over (a value of another type, the same constraints twice, a key that differs in case only) stays,
with the reason why it counts for nothing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any, Final

from copilot_core.values import Scalar
from dsql_config.findings import Finding, Severity
from dsql_config.server.decoded import AnyKeyMap, Entry
from dsql_config.server.go_values import SCALARS, TRUE_TEXTS, shown
from dsql_config.server.registry import ServerRegistry, ValueKind
from dsql_config.server.yaml_dialect import decode
from dsql_config.server.yaml_scalars import INT64_MAX, INT64_MIN
from dsql_config.server.yaml_scalars import Scalar as YamlScalar

_DEPTH: Final = 32
"""Deeper than the value of any setting."""

GoValue = YamlScalar | list[Any] | dict[str, Any] | AnyKeyMap
"""What a YAML value is to the server: a list is []any, a dict map[string]any."""

Constraints = tuple[tuple[str, str], ...]
"""Constraint name in lower case to value as text, sorted: equal tuples constrain equally. To the
server a constraint of the empty text is none."""


@dataclass(frozen=True, slots=True)
class SeenEntry:
    """One dynamic-config entry. `key` is spelled as the server does where it knows it; `ignored`
    says why it counts for nothing."""

    file: str
    line: int
    key: str
    value: Scalar
    constraints: Constraints
    ignored: str | None = None

    @property
    def place(self) -> str:
        """`file:line`."""
        return f"{self.file}:{self.line}"


def read_entries(
    file: str, data: bytes, registry: ServerRegistry
) -> tuple[tuple[SeenEntry, ...], tuple[Finding, ...]]:
    """The entries of a dynamic-config file as a server reads them; none of a file it refuses."""
    decoded = decode(data)
    if decoded.refused:
        return (), tuple(
            Finding(
                severity=Severity.ERROR, code="file-refused", key=f"{file}:{p.line}",
                message=f"the server takes nothing from this file: {p.message}",
            )
            for p in decoded.problems
            if p.trouble.refuses
        )  # fmt: skip
    seen: list[SeenEntry] = []
    spelling: dict[str, str] = {}
    taken: set[tuple[str, Constraints]] = set()
    for key in decoded.keys:
        first = spelling.setdefault(key.name.lower(), key.name)
        for entry in key.entries:
            made = _entry(file, key.name, entry, registry)
            ignored = made.ignored
            if first != key.name:
                ignored = f"{first} is the same key; the server takes either"
            elif (made.key, made.constraints) in taken:
                ignored = "an earlier entry has the same constraints, and the first one counts"
            taken.add((made.key, made.constraints))
            seen.append(replace(made, ignored=ignored))
    return tuple(seen), ()


def _entry(file: str, name: str, entry: Entry, registry: ServerRegistry) -> SeenEntry:
    """One entry with the value that the server makes of it."""
    setting = registry.find(name)
    named = ((_text(n).lower(), _text(v)) for n, v in entry.constraints.items())
    constraints = tuple(sorted(pair for pair in named if pair[1]))
    line = entry.value_line or entry.line
    if setting is None:
        return SeenEntry(file, line, _text(name), _scalar(entry.value), constraints)
    convert = SCALARS.get(setting.kind)
    loss = next((x for x in convert(entry.value) if x.fails), None) if convert else None
    if loss:
        why = f"the server keeps its default: {loss.message}"
        return SeenEntry(file, line, setting.key, _scalar(entry.value), constraints, why)
    value = _scalar(entry.value)
    if setting.kind is ValueKind.BOOL and isinstance(value, str):
        value = value in TRUE_TEXTS
    return SeenEntry(file, line, setting.key, value, constraints)


def _scalar(value: GoValue) -> Scalar:
    """A value as a scalar that an event can hold; any other as compact text of its JSON."""
    match value:
        case bool():
            return value
        case str():
            return _text(value)
        case int() if INT64_MIN <= value <= INT64_MAX:
            return value
        case float() if isfinite(value):
            return value
        case list() | dict() | AnyKeyMap():
            return _json(value, _DEPTH)
        case _:
            return shown(value)


def _json(value: GoValue, depth: int) -> str:
    """A value as text that is equal for equal values, as deep as settings go."""
    if depth == 0:
        return shown(value)
    match value:
        case list():
            return f"[{','.join(_json(v, depth - 1) for v in value)}]"
        case dict() | AnyKeyMap():
            pairs = value.items() if isinstance(value, dict) else value
            parts = sorted(f"{_json(k, 1)}:{_json(v, depth - 1)}" for k, v in pairs)
            return f"{{{','.join(parts)}}}"
        case str():
            return json.dumps(_text(value), ensure_ascii=False)
        case _:
            return shown(value)


def _text(value: GoValue) -> str:
    """A text as UTF-8 can hold it; undecodable bytes of `!!binary` are replaced."""
    if not isinstance(value, str):
        return shown(value)
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
