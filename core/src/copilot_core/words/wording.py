"""How numbers, units, durations, times and shares are written, so that they can be read aloud.

Theory of operation. There is one way to write a figure, and `copilot_core.words.figures` reads that
way back. So what an explanation says can be compared with what its claims say, whoever wrote it.

    270 s, unit s          4 min 30 s          a time, in seconds
    350, unit ms           350 ms              a time, in seconds
    0.12, unit ratio       12 %                a share
    3.5, unit ratio        3.5 times           a share, from twice on
    0.1, unit of demand    10 % of demand      a share
    0.7, unit 1/s          0.7 per second      a rate
    2, unit processes      2 processes         a number of things
    512, unit 1/1024 core  0.5 core            a number of parts
    slot 1795403250        03:07:30 UTC        a time of day

Two digits that count are enough to be read aloud; `against` takes more where a value and its
threshold would read alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import floor, log10
from types import MappingProxyType
from typing import Final

from whenever import Instant

from copilot_core.words.figures import PART, figures

_DAY_S: Final = 86_400


def figure(value: float, *, digits: int = 2) -> str:
    """A bare number with so many digits that count; a larger whole number keeps all of its own."""
    if value == 0.0:
        return "0"
    places = max(digits - 1 - floor(log10(abs(value))), 0)
    text = f"{value:.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def duration(seconds: float, *, digits: int = 2) -> str:
    """`350 ms`, `4.5 s`, `4 min 30 s`, `1 h 5 min`, `2 d 3 h`.

    With more than two digits a time is written in seconds alone, so that it can be told from one
    that is nearly as long.
    """
    if seconds == 0.0:
        return "0 s"
    if seconds < 0.9995:
        return f"{figure(seconds * 1000, digits=max(digits, 3 if seconds >= 0.1 else 2))} ms"
    if seconds < 59.5 or digits > 2:
        return f"{figure(seconds, digits=max(digits, 1 + floor(log10(seconds))))} s"
    grain = 1 if seconds < 3600 else 60 if seconds < _DAY_S else 3600
    whole = floor(seconds / grain + 0.5) * grain
    parts = (
        (whole // _DAY_S, "d"),
        (whole % _DAY_S // 3600, "h"),
        (whole % 3600 // 60, "min"),
        (whole % 60, "s"),
    )
    return " ".join(f"{n} {unit}" for n, unit in parts if n)


def share(ratio: float, *, digits: int = 2) -> str:
    """`12 %`; from twice on `3.5 times`."""
    if ratio >= 2.0:
        return f"{figure(ratio, digits=digits)} times"
    return f"{figure(ratio * 100, digits=digits)} %"


def size(value: float, *, digits: int = 2) -> str:
    """Bytes: `1.2 GB`, `512 bytes`; a kB is 1000 bytes."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if abs(value) >= factor:
            return f"{figure(value / factor, digits=digits)} {unit}"
    return f"{figure(value, digits=digits)} {'byte' if value == 1 else 'bytes'}"


_SINGULAR: Final[Mapping[str, str]] = MappingProxyType({"processes": "process"})


def noun(unit: str, count: float) -> str:
    """The unit of things that are counted: `processes`, for one `process`."""
    if count != 1:
        return unit
    first, space, rest = unit.partition(" ")
    return f"{_SINGULAR.get(first, first.removesuffix('s'))}{space}{rest}"


def number(value: float, unit: str, *, digits: int = 2) -> str:
    """A value in one of the units of signals, quantities, signs or parameters, as text."""
    match unit:
        case "s":
            return duration(value, digits=digits)
        case "ms":
            return duration(value / 1000, digits=digits)
        case "ratio":
            return share(value, digits=digits)
        case "%":
            return share(value / 100, digits=digits)
        case "bytes":
            return size(value, digits=digits)
        case "bool":
            return "yes" if value else "no"
    if unit.startswith("of "):
        told = share(value, digits=digits)
        return f"{told} the {unit.removeprefix('of ')}" if value >= 2.0 else f"{told} {unit}"
    first, _, rest = unit.partition(" ")
    if first in _RATES:
        return f"{figure(value, digits=digits)} {_RATES[first]} {rest}".rstrip()
    if part := PART.fullmatch(first):
        return f"{figure(value / int(part[1]), digits=digits)} {rest}"
    return f"{figure(value, digits=digits)} {noun(unit, value)}".rstrip()


_RATES: Final[Mapping[str, str]] = MappingProxyType({"1/s": "per second", "1/min": "per minute"})


def against(value: float, threshold: float, unit: str) -> tuple[str, str]:
    """A value and the threshold that it is compared with, with as many digits as tell them
    apart."""
    for digits in (2, 3, 4, 5, 6):
        texts = number(value, unit, digits=digits), number(threshold, unit, digits=digits)
        if texts[0] != texts[1] or value == threshold:
            # The threshold keeps its usual form where that says the same.
            usual = number(threshold, unit)
            exact = len(figures(usual)) == 1 and figures(usual)[0].means(
                threshold, unit, exact=True
            )
            return texts[0], usual if exact and usual != texts[0] else texts[1]
    return number(value, unit, digits=6), number(threshold, unit, digits=6)


def clock(at: int) -> str:
    """A time of day: `03:07:30 UTC`."""
    return f"{_iso(at)[11:19]} UTC"


def day(at: int) -> str:
    """A date, in UTC: `2026-11-23`."""
    return _iso(at)[:10]


def moment(at: int, *, seen_from: int) -> str:
    """A time of day, with its date where that is not the one of `seen_from`."""
    return clock(at) if at // _DAY_S == seen_from // _DAY_S else f"{day(at)} {clock(at)}"


def _iso(at: int) -> str:
    return Instant.from_timestamp(at).format_iso(unit="second")
