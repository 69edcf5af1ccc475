"""The verdict on a dynamic-config file that somebody wrote, equal to the server's own.

Theory of operation. Three questions, each answered by a table elsewhere:

    form         yaml_dialect   what yaml.v3 decodes from the text, and what it refuses or drops
    value        go_structs     what the setting's converter makes of each value
    constraints  constraints    which the loader takes, and which a lookup ever asks for

This module puts them in the order of the file and turns every answer into a finding with one of the
codes of `check_codes`. Nothing stops at the first finding, except that the value and constraints of
a key whose form is refused are not judged: they were never decoded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from packaging.version import Version

from copilot_core.errors import Rejected
from dsql_config.findings import Finding
from dsql_config.foreign_files import read_at_most
from dsql_config.nearest import nearest
from dsql_config.server.check_codes import CODES
from dsql_config.server.constraints import Constraints, Fault, go_lower
from dsql_config.server.decoded import (
    AnyKeyMap,
    Decoded,
    Entry,
    Key,
    Problem,
    Trouble,
)
from dsql_config.server.go_defaults import is_default
from dsql_config.server.go_structs import losses
from dsql_config.server.go_values import Loss, LossKind, shown
from dsql_config.server.limits import LONGEST_KEY, MAX_BYTES, MAX_SUGGESTIONS
from dsql_config.server.names import suggest
from dsql_config.server.registry import (
    Converter,
    ServerRegistry,
    Setting,
    load_registry,
    presence,
)
from dsql_config.server.yaml_dialect import decode

_TROUBLE_CODE: Final = {
    Trouble.NOT_YAML: "not_yaml",
    Trouble.DUPLICATE_KEY: "duplicate_key",
    Trouble.NOT_A_LIST: "not_a_list",
    Trouble.WRONG_SHAPE: "wrong_shape",
    Trouble.BAD_SCALAR: "bad_scalar",
    Trouble.BAD_ALIAS: "bad_alias",
    Trouble.BAD_MERGE: "bad_merge",
    Trouble.NULL_DROPPED: "null_dropped",
    Trouble.UNKNOWN_FIELD: "unknown_entry_field",
    Trouble.TEXT_AFTER_DOCUMENT: "text_after_document",
}

_LOSS_CODE: Final = {
    LossKind.WRONG_TYPE: "wrong_type",
    LossKind.INT_OVERFLOW: "int_overflow",
    LossKind.DURATION_OVERFLOW: "duration_overflow",
    LossKind.NOT_FINITE: "not_finite",
    LossKind.FRACTION_CUT: "fraction_cut",
    LossKind.UNKNOWN_FIELD: "unknown_field",
    LossKind.FIELD_TWICE: "field_twice",
    LossKind.ENTRY_DROPPED: "entry_dropped",
    LossKind.NULL_VALUE: "null_value",
    LossKind.DEFAULT_USED: "default_used",
}

_FAULT_CODE: Final = {
    Fault.UNKNOWN_NAME: "unknown_constraint",
    Fault.BAD_VALUE: "bad_constraint_value",
    Fault.WRONG_SCOPE: "wrong_scope",
    Fault.GIVEN_TWICE: "constraint_twice",
    Fault.WRAPPED: "constraint_wraps",
    Fault.NO_SUCH_TYPE: "no_such_task_type",
    Fault.IS_ZERO: "constraint_is_zero",
}

_ENTRY_FIELDS: Final = ("value", "constraints")


def check_file(path: Path, version: Version | str) -> tuple[Finding, ...]:
    """The findings on a file for a server version, a minor or any patch of it.

    Raises `Rejected` for a file that cannot be read or is above `MAX_BYTES`, and for a version that
    no registry is known of.
    """
    registry = load_registry(version)
    text = read_at_most(path, MAX_BYTES)
    try:
        return check_text(text, registry=registry)
    except Rejected as e:
        raise Rejected(e.what, where=str(path), todo=e.todo, code=e.code) from e


def check_text(text: bytes, *, registry: ServerRegistry) -> tuple[Finding, ...]:
    """Everything that the server of `registry` would refuse, warn of, drop or not need in a file.

    In the order of the file. `Finding.key` is the setting as written, or `line N` for what stands
    above any setting. Raises `Rejected` (`file-too-large`) above `MAX_BYTES`.
    """
    if len(text) > MAX_BYTES:
        raise Rejected(
            f"the file is larger than {MAX_BYTES} bytes",
            todo="give a dynamic-config file; split a larger one",
            code="file-too-large",
        )
    decoded = decode(text)
    findings = [*_form(decoded), *_keys(decoded, registry)]
    return tuple(finding for _line, finding in sorted(findings, key=lambda row: row[0]))


_Row = tuple[int, Finding]


def _row(code: str, key: str, line: int, message: str, suggestion: str | None = None) -> _Row:
    where = f"line {line}: " if line else ""
    return line, Finding(
        severity=CODES[code].severity,
        code=code,
        key=_printable(key),
        message=_printable(f"{where}{message}"),
        suggestion=suggestion,
    )


def _printable(text: str) -> str:
    """Without the stand-ins for bytes that are no UTF-8."""
    if text.isascii():
        return text
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _form(decoded: Decoded) -> Iterator[_Row]:
    for p in decoded.problems:
        key = p.key or (f"line {p.line}" if p.line else "file")
        yield _row(_TROUBLE_CODE[p.trouble], key, p.line, p.message, _form_suggestion(p))


def _form_suggestion(p: Problem) -> str | None:
    if p.trouble is Trouble.NOT_A_LIST:
        return "write a list: `- value: …`"
    if p.trouble is Trouble.UNKNOWN_FIELD:
        return nearest(p.name, _ENTRY_FIELDS)
    return None


def _keys(decoded: Decoded, registry: ServerRegistry) -> Iterator[_Row]:
    broken = {p.key for p in decoded.problems if p.trouble.refuses}
    first: dict[str, Key] = {}
    unregistered = 0
    for key in decoded.keys:
        lower = go_lower(key.name)
        before = first.setdefault(lower, key)
        if before is not key:
            message = (
                f"the same setting as {before.name!r} on line {before.line}; one wins at random"
            )
            yield _row("key_twice", key.name, key.line, message)
        setting = registry.find(lower)
        if setting is None:
            unregistered += 1
            yield _unregistered(key, registry, answered=unregistered <= MAX_SUGGESTIONS)
        if key.name in broken:
            continue
        if not key.entries:
            yield _row("empty_key", key.name, key.line, "without entries it sets nothing")
        yield from _entries(key, setting, registry)


def _unregistered(key: Key, registry: ServerRegistry, *, answered: bool) -> _Row:
    near = suggest(key.name[:LONGEST_KEY], registry) if answered else None
    versions = presence(key.name).versions
    if registry.unread(key.name):
        code = "unread_key"
    elif not versions:
        code = "unknown_key"
    else:
        code = "future_key" if versions[0] > registry.version else "retired_key"
    message = f"no setting of Temporal {registry.version}"
    if len(versions) > 1:
        message += f"; Temporal {versions[0]} to {versions[-1]} have it"
    elif versions:
        message += f"; Temporal {versions[0]} has it"
    if near is not None and near.note and (near.key or not versions):
        message += f"; {near.note}"
    return _row(code, key.name, key.line, message, near.key if near else None)


def _entries(key: Key, setting: Setting | None, registry: ServerRegistry) -> Iterator[_Row]:
    first: dict[frozenset[tuple[str, Any]], Entry] = {}
    all_default = setting is not None and bool(key.entries)
    for entry in key.entries:
        bad_key = _bad_map_key(entry.value)
        if bad_key is not None:
            message = f"{shown(bad_key[0])} is a key inside the value and no string"
            yield _row("key_not_string", key.name, entry.value_line, message, "quote it")
            all_default = False
            continue
        if setting is not None:
            yield from _value(key, entry, setting)
            all_default = all_default and is_default(setting, entry.value)
        scope = setting.scope if setting is not None else None
        constraints = Constraints(entry.constraints, scope, registry)
        yield from _constraints(key, entry, constraints)
        same = first.setdefault(frozenset(constraints.fields.items()), entry)
        if same is not entry:
            message = f"the entry on line {same.line} has the same constraints and wins"
            yield _row("shadowed_entry", key.name, entry.line, message)
    if all_default and setting is not None:
        message = f"{shown(key.entries[0].value)} is the default of Temporal {registry.version}"
        yield _row("server_default", key.name, key.line, message, "remove it")


def _value(key: Key, entry: Entry, setting: Setting) -> Iterator[_Row]:
    line = entry.value_line or entry.line
    found = losses(setting, entry.value)
    failures = [loss for loss in found if loss.fails]
    if failures:
        message = "; ".join(_at(loss) for loss in failures[:_SHOWN_FAILURES])
        yield _row("wrong_type", key.name, line, message, _type_hint(setting, entry.value))
    for loss in found:
        if not loss.fails:
            near = nearest(loss.name, loss.known) if loss.name else None
            yield _row(_LOSS_CODE[loss.kind], key.name, line, _at(loss), near)


_SHOWN_FAILURES: Final = 5
"""One warning of the server names every field that fails; so does one finding, up to here."""


def _at(loss: Loss) -> str:
    return f"{loss.path}: {loss.message}" if loss.path else loss.message


_YAML_1_1_BOOLS: Final = {
    **dict.fromkeys(("yes", "on", "y"), "true"),
    **dict.fromkeys(("no", "off", "n"), "false"),
}


def _type_hint(setting: Setting, value: Any) -> str | None:
    """The value that was meant, where YAML 1.1, or quotes, or a point made another of it."""
    if setting.converter is Converter.BOOL and isinstance(value, str):
        return _YAML_1_1_BOOLS.get(value.lower())
    if setting.converter is not Converter.INT:
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value if isinstance(value, str) and re.fullmatch("-?[0-9]{1,18}", value) else None


def _constraints(key: Key, entry: Entry, constraints: Constraints) -> Iterator[_Row]:
    out_of_scope = False
    for fault in constraints.faults:
        out_of_scope = out_of_scope or fault.fault is Fault.WRONG_SCOPE
        message = f"constraint {fault.name}: {fault.message}"
        near = nearest(fault.name, fault.known) if fault.fault is Fault.UNKNOWN_NAME else None
        given = entry.constraints[fault.name]
        if fault.fault is Fault.BAD_VALUE and isinstance(given, str):
            near = nearest(given, fault.known)
        yield _row(_FAULT_CODE[fault.fault], key.name, entry.line, message, near)
    if constraints.dead and not out_of_scope:
        names = ", ".join(sorted(constraints.fields))
        message = f"no lookup asks for {names} without the constraints above it"
        yield _row("never_matches", key.name, entry.line, message)


def _bad_map_key(value: Any) -> tuple[Any] | None:
    """A key that is no string, in the parts of a value where the server looks for one.

    It goes into lists and into mappings with such keys, and leaves mappings of strings alone.
    """
    pending = [value]
    while pending:
        part = pending.pop()
        if isinstance(part, list):
            pending.extend(part)
        elif isinstance(part, AnyKeyMap):
            for name, item in part:
                if not isinstance(name, str):
                    return (name,)
                pending.append(item)
    return None
