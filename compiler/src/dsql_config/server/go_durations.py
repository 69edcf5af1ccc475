"""Durations as the server reads them: Go's, with days, and bare numbers as seconds.

Figures are Go's: an int64 of nanoseconds, so at most 292 years; a number of seconds that does not
fit wraps around without a word, a string that does not fit is an error.
"""

from __future__ import annotations

import re
from typing import Final

from dsql_config.server.yaml_scalars import INT64_MAX, INT64_MIN

NS_PER_S: Final = 1_000_000_000

_UNIT_NS: Final = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,  # micro sign
    "μs": 1_000,  # Greek mu
    "ms": 1_000_000,
    "s": NS_PER_S,
    "m": 60 * NS_PER_S,
    "h": 3600 * NS_PER_S,
}
_LIMIT: Final = 2**63

_BARE: Final = re.compile(r"[0-9]+(\.[0-9]*)?|\.[0-9]+")
_DAYS: Final = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)d")
_TERM: Final = re.compile(r"([0-9]*)(?:\.([0-9]*))?([^0-9.]+)")


def parse_duration_ns(text: str) -> int | None:
    """Nanoseconds of `90s`, `1h30m`, `2d`, `1.5`, `-5m`; None for what the server cannot read."""
    if _BARE.fullmatch(text):
        text += "s"
    text = _DAYS.sub(_days_as_hours, text)
    negative = text.startswith("-")
    if text[:1] in ("-", "+"):
        text = text[1:]
    if text == "0":
        return 0
    total, at = 0, 0
    while at < len(text):
        m = _TERM.match(text, at)
        if m is None or not (m[1] or m[2]):
            return None
        amount = _term_ns(m[1], m[2] or "", m[3])
        if amount is None or (total := total + amount) > _LIMIT:
            return None
        at = m.end()
    if not text or (total == _LIMIT and not negative):
        return None
    return -total if negative else total


def _days_as_hours(m: re.Match[str]) -> str:
    hours = 24 * float(m[1])
    return m[0] if hours == float("inf") else f"{hours:f}h"


def _term_ns(whole: str, fraction: str, unit: str) -> int | None:
    unit_ns = _UNIT_NS.get(unit)
    if unit_ns is None:
        return None
    digits = whole.lstrip("0")
    if len(digits) > 19:
        return None
    value = int(digits or "0")
    if value > _LIMIT // unit_ns:
        return None
    value *= unit_ns
    if fraction:
        part, scale = _leading_fraction(fraction)
        if part:
            value += int(float(part) * (float(unit_ns) / scale))
    return value if value <= _LIMIT else None


def _leading_fraction(digits: str) -> tuple[int, float]:
    """Digits that fit an int64 and their scale; what is beyond is below a nanosecond."""
    value, scale = 0, 1.0
    for digit in digits:
        if value > INT64_MAX // 10:
            break
        longer = value * 10 + int(digit)
        if longer > _LIMIT:
            break
        value, scale = longer, scale * 10
    return value, scale


def seconds_ns(seconds: float) -> int | None:
    """Nanoseconds of a number of seconds; None when Go's int64 overflows or it is no number."""
    if isinstance(seconds, float):
        ns_float = seconds * 1e9
        if not -9.3e18 < ns_float < 9.3e18:
            return None
        ns = int(ns_float)
    else:
        ns = seconds * NS_PER_S
    return ns if INT64_MIN <= ns <= INT64_MAX else None
