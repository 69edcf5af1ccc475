"""Values that users gave: each read as its parameter wants it, every mistake told at once.

Theory of operation. A given value has a name, a value (text from a command line or an environment,
a scalar from a file) and a source. `accept` looks the name up (a parameter, or a key or variable it
is written under), reads the value by the parameter's kind, holds it to its range, and returns what
it accepted beside the findings. A later source replaces an earlier one; the same name twice in one
source is a contradiction.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite
from typing import Final

from copilot_core.values import Scalar
from dsql_config.findings import Finding, Severity
from dsql_config.nearest import nearest
from dsql_config.parameters import PARAMETERS, find
from dsql_config.parameters.parameter import Kind, Parameter, Text
from dsql_config.profile import Given, ParameterClass

_SECONDS: Final = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "ms": 1e-3,
    "s": 1,
    "m": 60,
    "h": 3600,
    "d": 86400,
}
_DURATION: Final = re.compile(r"(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h|d))+")
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h|d)")
_TEXT_LIMIT: Final = 253
"""Longest text: a DNS name; tables, images and namespaces are shorter."""
_LOOKS: Final = {
    Text.NAME: "no name: letters, digits and . _ : / @ + - may stand in one",
    Text.HOST_NAME: "no host name, as in <id>.dsql.<region>.on.aws",
}


@dataclass(frozen=True, slots=True)
class Accepted:
    """A value that was read and lies in range, with where it came from."""

    value: Scalar
    source: str


class _Unreadable(ValueError):
    """The value is not what the parameter wants; the message says what it wants."""


def accept(given: Iterable[Given]) -> tuple[dict[str, Accepted], tuple[Finding, ...]]:
    """Read every given value; parameter name to value, and every finding."""
    accepted: dict[str, Accepted] = {}
    findings: list[Finding] = []
    for item in given:
        parameter = find(item.name)
        if parameter is None:
            findings.append(_unknown(item))
            continue
        try:
            value = _read(parameter, item)
        except _Unreadable as e:
            findings.append(_error("bad-value", item, f"{e}"))
            continue
        earlier = accepted.get(parameter.name)
        if earlier and _place(earlier.source) == _place(item.source) and earlier.value != value:
            what = f"{parameter.name} is {value} here and {earlier.value} at {earlier.source}"
            findings.append(_error("given-twice", item, what, "keep one of them"))
            continue
        accepted[parameter.name] = Accepted(value, item.source)
    return accepted, tuple(findings)


def _place(source: str) -> str:
    """A source without its line: the file, the command line or the environment."""
    head, _, line = source.rpartition(":")
    return head if head and line.isdigit() else source


def _error(code: str, item: Given, message: str, suggestion: str | None = None) -> Finding:
    return Finding(
        severity=Severity.ERROR, code=code, key=item.name,
        message=f"{message} ({item.source})", suggestion=suggestion,
    )  # fmt: skip


def _unknown(item: Given) -> Finding:
    near = nearest(item.name, PARAMETERS)
    return _error("unknown-parameter", item, f"no parameter is called {item.name!r}", near)


def _read(parameter: Parameter, item: Given) -> Scalar:
    raw = item.value
    if raw is None:
        raise _Unreadable(f"no value; {_wants(parameter)}")
    if isinstance(raw, str):
        raw = raw.strip()
    match parameter.kind:
        case Kind.BOOL:
            return _bool(parameter, raw)
        case Kind.INT | Kind.FLOAT:
            return _number(parameter, raw)
        case Kind.CHOICE:
            if raw in parameter.choices:
                return raw
            near = nearest(str(raw), parameter.choices)
            hint = f"; did you mean {near}?" if near else ""
            raise _Unreadable(f"{_brief(raw)} is none of {', '.join(parameter.choices)}{hint}")
        case Kind.TEXT:
            return _text(parameter, raw)


def _bool(parameter: Parameter, raw: Scalar) -> bool:
    if isinstance(raw, bool):
        return raw
    match str(raw).lower():
        case "true" | "on" | "yes" | "1":
            return True
        case "false" | "off" | "no" | "0":
            return False
        case _:
            raise _Unreadable(f"{_brief(raw)}; {_wants(parameter)}")


def _number(parameter: Parameter, raw: Scalar) -> int | float:
    """A number in the parameter's unit. A duration with a unit of its own is converted where the
    parameter counts seconds or milliseconds, because `30s` leaves no doubt."""
    value = raw
    if isinstance(raw, str):
        if _DURATION.fullmatch(raw):
            value = _duration(parameter, raw)
        else:
            try:
                value = float(raw) if not re.fullmatch(r"[+-]?\d+", raw) else int(raw)
            except ValueError:
                raise _Unreadable(f"{_brief(raw)} is no number; {_wants(parameter)}") from None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _Unreadable(f"{_brief(raw)} is no number; {_wants(parameter)}")
    if isinstance(value, float) and not isfinite(value):
        raise _Unreadable(f"{_brief(raw)} is not finite; {_wants(parameter)}")
    if parameter.kind is Kind.INT and value != int(value):
        raise _Unreadable(f"{_brief(raw)} is not whole; {_wants(parameter)}")
    locked = parameter.parameter_class is ParameterClass.SAFETY  # told as such, whatever is asked
    if not locked and not parameter.minimum <= value <= parameter.maximum:
        raise _Unreadable(f"{_brief(raw)} is out of range; {_wants(parameter)}")
    return int(value) if parameter.kind is Kind.INT else float(value)


def _duration(parameter: Parameter, raw: str) -> float:
    if parameter.unit not in ("s", "ms"):
        raise _Unreadable(f"{_brief(raw)} is a duration; {_wants(parameter)}")
    seconds = sum(float(n) * _SECONDS[unit] for n, unit in _PART.findall(raw))
    return round(seconds * (1000 if parameter.unit == "ms" else 1), 9)


def _text(parameter: Parameter, raw: Scalar) -> str:
    if not isinstance(raw, str):
        raise _Unreadable(f"{_brief(raw)} is no text")
    if not raw and parameter.base != "":
        raise _Unreadable(f"empty; {_wants(parameter)}")
    if len(raw) > _TEXT_LIMIT:
        raise _Unreadable(f"{len(raw)} characters; {parameter.name} takes at most {_TEXT_LIMIT}")
    if not re.fullmatch(parameter.text, raw):
        raise _Unreadable(f"{_brief(raw)} is {_LOOKS[parameter.text]}")
    return raw


def _brief(raw: Scalar) -> str:
    text = repr(raw)
    return text if len(text) <= 40 else f"{text[:37]}…"


def _wants(parameter: Parameter) -> str:
    """What a parameter takes, as the end of a message."""
    match parameter.kind:
        case Kind.INT | Kind.FLOAT:
            what = "a whole number" if parameter.kind is Kind.INT else "a number"
            low, high = parameter.minimum, parameter.maximum
            span = f" from {low:,g} to {high:,.0f}" if isfinite(high) else f" of at least {low:,g}"
            what = f"{what}{span}" + (f" ({parameter.unit})" if parameter.unit else "")
        case Kind.BOOL:
            what = "true or false"
        case Kind.CHOICE:
            what = f"one of {', '.join(parameter.choices)}"
        case Kind.TEXT:
            what = "a name"
    return f"{parameter.name} wants {what}"
