"""Whether a YAML value becomes the Go value that a setting wants, and what gets lost on the way.

Theory of operation. Every setting has a conversion. A scalar setting takes few types; a typed
setting is a Go value described by a schema and is filled field by field (mapstructure): names match
without regard to case, a null leaves the default, a number may become an int with its fraction cut
off, and a field that the type does not have is dropped. A conversion that fails makes the server
warn and use its default for the whole setting; what is merely lost it never mentions. Both come out
as `Loss`: `fails` tells them apart.

    kind      takes
    bool      a bool; the strings 1 t T true True TRUE and 0 f F false False FALSE
    int       an int; above int64 it wraps around
    float     an int or a float, also .nan and .inf
    duration  Go's durations with days; a string, int or float of seconds
    string    a string
    map       a mapping with string keys
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from dsql_config.server.decoded import AnyKeyMap
from dsql_config.server.go_durations import parse_duration_ns, seconds_ns
from dsql_config.server.yaml_scalars import INT64_MAX, Timestamp

TRUE_TEXTS: Final = frozenset({"1", "t", "T", "true", "True", "TRUE"})
FALSE_TEXTS: Final = frozenset({"0", "f", "F", "false", "False", "FALSE"})

_SHOWN_CHARS: Final = 60


class LossKind(Enum):
    """Why a value does not arrive as written. The first makes the server warn, the others do
    not."""

    WRONG_TYPE = "wrong_type"
    INT_OVERFLOW = "int_overflow"
    DURATION_OVERFLOW = "duration_overflow"
    NOT_FINITE = "not_finite"
    FRACTION_CUT = "fraction_cut"
    UNKNOWN_FIELD = "unknown_field"
    FIELD_TWICE = "field_twice"
    ENTRY_DROPPED = "entry_dropped"
    NULL_VALUE = "null_value"
    DEFAULT_USED = "default_used"


@dataclass(frozen=True, slots=True)
class Loss:
    """`path` leads into the value ("" is the value itself, `Overall.Groups[0].Name` a field);
    `name` is the unknown field's own name."""

    kind: LossKind
    path: str
    message: str
    name: str = ""
    known: tuple[str, ...] = ()

    @property
    def fails(self) -> bool:
        """Whether the server warns and uses its default."""
        return self.kind is LossKind.WRONG_TYPE


Losses = Iterator[Loss]


def shown(value: Any) -> str:
    """A short text of a value, whatever its depth."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, Timestamp):
        return value.text
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, (dict, AnyKeyMap)):
        return "a mapping"
    text = value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return f"'{text[:_SHOWN_CHARS]}{'…' if len(text) > _SHOWN_CHARS else ''}'"


def type_name(value: Any) -> str:
    """What YAML made of the value, in words."""
    names = (
        (type(None), "null"),
        (bool, "a bool"),
        (int, "an int"),
        (float, "a float"),
        (str, "a string"),
        (Timestamp, "a time"),
        (list, "a list"),
    )
    return next((name for kind, name in names if isinstance(value, kind)), "a mapping")


def _wrong(path: str, value: Any, wanted: str) -> Loss:
    return Loss(LossKind.WRONG_TYPE, path, f"{type_name(value)} ({shown(value)}) is not {wanted}")


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def as_bool(value: Any, path: str = "") -> Losses:
    """A bool setting: a bool, or a string that Go's ParseBool knows."""
    if isinstance(value, str) and (value in TRUE_TEXTS or value in FALSE_TEXTS):
        return
    if not isinstance(value, bool):
        yield _wrong(path, value, "a bool")


def as_int(value: Any, path: str = "") -> Losses:
    """An int setting; no strings, no floats."""
    if not _is_int(value):
        yield _wrong(path, value, "an int")
    elif value > INT64_MAX:
        yield Loss(LossKind.INT_OVERFLOW, path, f"{value} wraps around to {value - 2**64}")


def as_float(value: Any, path: str = "") -> Losses:
    """A float setting: an int or a float."""
    if isinstance(value, float):
        if not math.isfinite(value):
            yield Loss(LossKind.NOT_FINITE, path, f"{value} is taken as it is")
    elif not _is_int(value):
        yield _wrong(path, value, "a number")


def as_string(value: Any, path: str = "") -> Losses:
    """A string setting."""
    if not isinstance(value, str):
        yield _wrong(path, value, "a string")


def as_map(value: Any, path: str = "") -> Losses:
    """A setting that takes any mapping."""
    if not isinstance(value, dict):
        yield _wrong(path, value, "a mapping")


def as_duration(value: Any, path: str = "") -> Losses:
    """A duration: a Go duration with days, or a number of seconds."""
    if isinstance(value, str):
        if parse_duration_ns(value) is None:
            yield _wrong(path, value, "a duration like 30s, 1h30m or 2d")
    elif _is_int(value) or isinstance(value, float):
        if seconds_ns(_int64(value)) is None:
            yield Loss(LossKind.DURATION_OVERFLOW, path, f"{value} seconds overflow 292 years")
    else:
        yield _wrong(path, value, "a duration")


def duration_ns(value: Any) -> int:
    """The nanoseconds of a value that `as_duration` lets through, wrapped around as in Go."""
    if isinstance(value, str):
        return parse_duration_ns(value) or 0
    if isinstance(value, float):
        ns = seconds_ns(value)
        return -(2**63) if ns is None else ns
    return wrap_int64(value * 1_000_000_000)


def wrap_int64(value: int) -> int:
    """The low 64 bits as Go's int64."""
    return (value + 2**63) % 2**64 - 2**63


def _int64(value: float) -> float:
    return wrap_int64(value) if isinstance(value, int) else value


SCALARS: Final[dict[str, Callable[..., Losses]]] = {
    "bool": as_bool,
    "int": as_int,
    "float": as_float,
    "duration": as_duration,
    "string": as_string,
    "map": as_map,
}
"""Conversions of the settings that are no typed ones."""
