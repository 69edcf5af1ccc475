"""Typed settings: a YAML value laid over a Go type, as the server's converters do it.

Theory of operation. `_KINDS` says for each kind of the schema what mapstructure takes; structs,
lists and maps go into their parts, so the depth is that of the Go type and never that of the file.
`CONVERT` then has one function for each `Converter`: most are plain mapstructure, some look at the
result again. A null anywhere leaves what was there. Where mapstructure would pick one of two fields
that differ only in case, both are judged, because the server picks at random.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from dsql_config.server.decoded import AnyKeyMap
from dsql_config.server.go_template import is_template
from dsql_config.server.go_values import (
    SCALARS,
    Loss,
    Losses,
    LossKind,
    as_duration,
    as_float,
    as_string,
    duration_ns,
    shown,
    type_name,
    wrap_int64,
)
from dsql_config.server.setting import Converter, Field, Schema, Setting
from dsql_config.server.yaml_scalars import Timestamp, is_rfc3339

_INT_BITS: Final = {"int": 64, "int8": 8, "int16": 16, "int32": 32, "int64": 64, "enum": 32}
_UINT_BITS: Final = {"uint": 64, "uint8": 8, "uint16": 16, "uint32": 32, "uint64": 64}

_SHOWN_CHARS: Final = 60
"""Of the name of an unknown field."""

_THRESHOLD_WINDOW_NS: Final = 100_000_000
"""The shortest window of a partition scaler's threshold, in the server's own check."""


def losses(setting: Setting, value: Any) -> tuple[Loss, ...]:
    """What the server makes of `value` for `setting`: nothing lost, something lost, or failed."""
    scalar = SCALARS.get(setting.converter)
    found = scalar(value) if scalar is not None else CONVERT[setting.converter](setting, value)
    return tuple(found)


def fold(name: str) -> str:
    """Go's simple case folding: character by character, never to two."""
    if name.isascii():
        return name.lower()
    return "".join(f if len(f := c.casefold()) == 1 else c for c in name)


def _fails(path: str, value: Any, wanted: str) -> Loss:
    return Loss(LossKind.WRONG_TYPE, path, f"{type_name(value)} ({shown(value)}) is not {wanted}")


def _decode(schema: Schema, value: Any, path: str) -> Losses:
    return _KINDS[schema.kind](schema, value, path) if value is not None else iter(())


def _bool(_schema: Schema, value: Any, path: str) -> Losses:
    if not isinstance(value, bool):
        yield _fails(path, value, "a bool")


def _int(schema: Schema, value: Any, path: str) -> Losses:
    if schema.kind == "enum" and isinstance(value, str):
        if value.lower() not in {name.lower() for name in schema.values}:
            yield _fails(path, value, f"one of {', '.join(schema.values)}")
        return
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        yield _fails(path, value, "an int")
        return
    if isinstance(value, float) and not value.is_integer():
        yield Loss(LossKind.FRACTION_CUT, path, f"{value} loses its fraction: the field is an int")
        return
    limit = 2 ** (_INT_BITS[schema.kind] - 1)
    if not -limit <= value < limit:
        yield Loss(LossKind.INT_OVERFLOW, path, f"{value} does not fit {schema.kind}")


def _uint(schema: Schema, value: Any, path: str) -> Losses:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
        yield _fails(path, value, "an int from 0 on")
    elif isinstance(value, float) and not value.is_integer():
        yield Loss(LossKind.FRACTION_CUT, path, f"{value} loses its fraction: the field is an int")
    elif value >= 2 ** _UINT_BITS[schema.kind]:
        yield Loss(LossKind.INT_OVERFLOW, path, f"{value} does not fit {schema.kind}")


def _time(_schema: Schema, value: Any, path: str) -> Losses:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    text = isinstance(value, str) and is_rfc3339(value)
    if not (number or text or isinstance(value, Timestamp)):
        yield _fails(path, value, "a time like 2026-01-31T12:00:00Z")


def _no_value(schema: Schema, value: Any, path: str) -> Losses:
    yield _fails(path, value, f"something a file can give: {schema.name or schema.kind}")


def _any(_schema: Schema, _value: Any, _path: str) -> Losses:
    return iter(())


def _pointer(schema: Schema, value: Any, path: str) -> Losses:
    return _decode(_of(schema), value, path)


def _list(schema: Schema, value: Any, path: str) -> Losses:
    if not isinstance(value, list):
        yield _fails(path, value, "a list")
        return
    for i, item in enumerate(value):
        yield from _decode(_of(schema), item, f"{path}[{i}]")


def _map(schema: Schema, value: Any, path: str) -> Losses:
    if isinstance(value, Timestamp):
        yield Loss(LossKind.UNKNOWN_FIELD, path, f"{value.text} is a time: nothing of it arrives")
        return
    if not isinstance(value, (dict, AnyKeyMap)):
        yield _fails(path, value, "a mapping")
        return
    for name, item in _pairs(value):
        if schema.key is not None:
            yield from _decode(schema.key, name, f"{path}[{shown(name)}]")
        yield from _decode(_of(schema), item, f"{path}[{shown(name)}]")


def _struct(schema: Schema, value: Any, path: str) -> Losses:
    if isinstance(value, Timestamp):
        yield Loss(LossKind.UNKNOWN_FIELD, path, f"{value.text} is a time: nothing of it arrives")
        return
    if not isinstance(value, (dict, AnyKeyMap)):
        yield _fails(path, value, f"a mapping with fields of {schema.name or 'a struct'}")
        return
    given = [(name, item) for name, item in _pairs(value) if isinstance(name, str)]
    settable = [f for f in schema.fields if not f.unexported]
    known = tuple(_field_name(f) for f in settable)
    used: set[str] = set()
    for field, wanted in zip(settable, known, strict=True):
        matches = _matches(given, wanted)
        used.update(name for name, _ in matches)
        where = f"{path}.{wanted}" if path else wanted
        if len(matches) > 1:
            spellings = ", ".join(name for name, _ in matches)
            yield Loss(LossKind.FIELD_TWICE, where, f"one of {spellings} wins at random")
        for _name, item in matches:
            yield from _decode(field.schema, item, where)
    for name, _item in _pairs(value):
        if not isinstance(name, str) or name not in used:
            short = str(name)[:_SHOWN_CHARS]
            where = f"{path}.{short}" if path else short
            message = f"{schema.name or 'the type'} has no field {shown(name)}"
            yield Loss(LossKind.UNKNOWN_FIELD, where, message, short, known)


def _matches(given: list[tuple[str, Any]], wanted: str) -> list[tuple[str, Any]]:
    exact = [pair for pair in given if pair[0] == wanted]
    return exact or [pair for pair in given if fold(pair[0]) == fold(wanted)]


def _field_name(field: Field) -> str:
    return field.tag.split(",", 1)[0] or field.name


def _pairs(value: dict[str, Any] | AnyKeyMap) -> Iterator[tuple[Any, Any]]:
    return iter(value.items()) if isinstance(value, dict) else iter(value)


def _of(schema: Schema) -> Schema:
    return schema.of or Schema("any")


_KINDS: Final[Mapping[str, Callable[[Schema, Any, str], Losses]]] = {
    "bool": _bool,
    "string": lambda _schema, value, path: as_string(value, path),
    "duration": lambda _schema, value, path: as_duration(value, path),
    "time": _time,
    **dict.fromkeys(_INT_BITS, _int),
    **dict.fromkeys(_UINT_BITS, _uint),
    **dict.fromkeys(("float32", "float64"), lambda _schema, value, path: as_float(value, path)),
    "struct": _struct,
    "map": _map,
    "list": _list,
    "pointer": _pointer,
    "any": _any,
    **dict.fromkeys(("interface", "func"), _no_value),
}


def _structure(setting: Setting, value: Any) -> Losses:
    if value is None:
        yield Loss(LossKind.NULL_VALUE, "", "null leaves the server's default as it is")
    yield from _decode(setting.schema, value, "")


def _gradual_change(setting: Setting, value: Any) -> Losses:
    plain = next(f.schema.kind for f in setting.schema.fields if f.name == "New")
    found = tuple(SCALARS["float" if plain == "float64" else plain](value))
    return iter(found) if not any(map(_is_failure, found)) else _structure(setting, value)


def _is_failure(loss: Loss) -> bool:
    return loss.fails


def _lenient(setting: Setting, value: Any) -> Losses:
    for loss in _structure(setting, value):
        yield replace(loss, kind=LossKind.DEFAULT_USED) if loss.fails else loss


def _wildcards(setting: Setting, value: Any) -> Losses:
    if value is None:
        yield Loss(LossKind.NULL_VALUE, "", "null matches nothing: it does not mean the default")
    yield from _decode(setting.schema, value, "")
    if isinstance(value, list):
        for i, pattern in enumerate(value):
            if isinstance(pattern, str) and not _is_utf8(pattern):
                yield _fails(f"[{i}]", pattern, "UTF-8")


def _is_utf8(text: str) -> bool:
    return not any("\ud800" <= c <= "\udfff" for c in text)


def _callback_addresses(setting: Setting, value: Any) -> Losses:
    yield from _structure(setting, value)
    for i, entry in enumerate(value if isinstance(value, list) else ()):
        pattern = field_of(entry, "Pattern")
        if pattern in (None, "") or (isinstance(pattern, str) and not _is_utf8(pattern)):
            yield Loss(
                LossKind.ENTRY_DROPPED, f"[{i}]", "a rule without a usable Pattern is dropped"
            )


def field_of(value: Any, name: str) -> Any:
    """The item of a mapping that mapstructure takes for the field `name`; None without one."""
    if not isinstance(value, (dict, AnyKeyMap)):
        return None
    given = [(key, item) for key, item in _pairs(value) if isinstance(key, str)]
    matches = _matches(given, name)
    return matches[0][1] if matches else None


def _partition_scaler(setting: Setting, value: Any) -> Losses:
    found = tuple(_structure(setting, value))
    yield from found
    if any(map(_is_failure, found)):
        return
    for name in ("Fixed", "Min", "Max"):
        if _number(field_of(value, name), bits=32) < 0:
            yield Loss(LossKind.WRONG_TYPE, name, f"{name} must not be negative")
    for name in ("Ups", "Downs"):
        for i, threshold in enumerate(field_of(value, name) or ()):
            window = field_of(threshold, "Window")
            if window is None or duration_ns(window) < _THRESHOLD_WINDOW_NS:
                yield Loss(LossKind.WRONG_TYPE, f"{name}[{i}].Window", "needs 100ms at least")
            if _number(field_of(threshold, "TargetRate"), bits=64) < 1:
                yield Loss(LossKind.WRONG_TYPE, f"{name}[{i}].TargetRate", "needs 1 at least")


def _number(value: Any, *, bits: int) -> int:
    """A number as Go keeps it in an int of `bits`."""
    if value is None:
        return 0
    whole = wrap_int64(int(value)) if -(2.0**64) < value < 2.0**64 else -(2**63)
    return (whole + 2 ** (bits - 1)) % 2**bits - 2 ** (bits - 1)


def _url_template(_setting: Setting, value: Any) -> Losses:
    if not isinstance(value, str):
        yield _fails("", value, "a string")
    elif value != "unset" and not is_template(value):
        yield _fails("", value, "a template of Go's text/template")


CONVERT: Final[Mapping[Converter, Callable[[Setting, Any], Losses]]] = {
    Converter.STRUCTURE: _structure,
    Converter.LOWERCASED_LIST: _structure,
    Converter.GRADUAL_CHANGE: _gradual_change,
    Converter.LENIENT_STRUCTURE: _lenient,
    Converter.WILDCARDS: _wildcards,
    Converter.CALLBACK_ADDRESSES: _callback_addresses,
    Converter.PARTITION_SCALER: _partition_scaler,
    Converter.URL_TEMPLATE: _url_template,
}
"""What each converter of a typed setting does beyond its schema; one row a `Converter`."""
