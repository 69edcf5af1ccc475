"""Figures in text: numbers with their units, durations, shares, rates, times of day and dates.

Theory of operation. `figures` reads what `copilot_core.words.wording` writes, and a few other ways
that people and models use, into the same values, so that text can be compared with the log:

    4 min 30 s   4m30s   4 minutes and 30 seconds   270 s      all 270, of dimension s
    350 ms   0.35 s                                            both 0.35, of dimension s
    12 %   12%   12 percent                                    all 0.12, of dimension ratio
    0.7 per second   0.7/s                                     both 0.7, of dimension 1/s
    three   3                                                  both 3, of no dimension
    03:07:30 UTC   03:07   2026-11-23                          times of day, a date

A figure knows how precisely it was written (`grain`), and so which values it can mean.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from whenever import Instant

_DAY_S: Final = 86_400


class Sort(StrEnum):
    """What a figure in text says."""

    NUMBER = "number"
    CLOCK = "clock"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure found in text, from `start` to `end`.

    `value` is in the unit of its `dimension`: `s`, `ratio`, `1/s`, `1/min`, `bytes`, `ms/s`, or
    empty for a bare number, which may count things. For a time of day it is seconds since midnight,
    for a date Unix seconds of its midnight. `grain` is what the last written digit is worth.
    """

    start: int
    end: int
    sort: Sort
    value: float
    dimension: str
    grain: float

    def means(self, value: float, unit: str, *, exact: bool = False) -> bool:
        """Whether this is that value, correctly rounded and off by a twentieth at the most.

        A twentieth is what two digits that count can be off (1.05 as 1.0, written 1). With `exact`
        it must be the value itself.
        """
        dimension, factor = dimension_of(unit)
        if self.sort is not Sort.NUMBER:
            return False
        if self.dimension != dimension and not (self.dimension == "" and dimension in _BARE):
            return False
        true = value * factor
        off = abs(self.value - true)
        if exact:
            return off <= 1e-9 * max(abs(true), 1e-9)
        return off <= 0.5000001 * self.grain and off <= abs(true) / 20

    def is_at(self, at: int) -> bool:
        """Whether this is that instant's time of day (to the second or the minute) or date."""
        match self.sort:
            case Sort.CLOCK:
                return at % _DAY_S // int(self.grain) == int(self.value) // int(self.grain)
            case Sort.DAY:
                return at // _DAY_S * _DAY_S == self.value
            case Sort.NUMBER:
                return False


_BARE: Final = frozenset({"", "ratio"})
"""Dimensions whose numbers may stand without a unit: `2 worker processes`, `a ratio of 0.12`."""

_DIMENSIONS: Final[Mapping[str, tuple[str, float]]] = MappingProxyType(
    {
        "s": ("s", 1.0),
        "ms": ("s", 0.001),
        "ratio": ("ratio", 1.0),
        "%": ("ratio", 0.01),
        "1/s": ("1/s", 1.0),
        "1/min": ("1/min", 1.0),
        "ms/s": ("ms/s", 1.0),
        "bytes": ("bytes", 1.0),
    }
)


def dimension_of(unit: str) -> tuple[str, float]:
    """The dimension of a unit, and what one of the unit is in it; things that are counted have
    none."""
    if unit.startswith("of "):
        return "ratio", 1.0
    first = unit.partition(" ")[0]
    if part := PART.fullmatch(first):
        return "", 1.0 / int(part[1])
    return _DIMENSIONS.get(first if first.startswith("1/") else unit, ("", 1.0))


PART: Final = re.compile(r"1/([1-9][0-9]*)")
"""A unit that is a part of something: `1/1024 core`."""


_UNIT_WORDS: Final[tuple[tuple[str, str, float], ...]] = (
    # expression, dimension, factor; the first that fits is the one
    (r"ms/s", "ms/s", 1.0),
    (r"ms|milliseconds?|msecs?", "s", 0.001),
    (r"(?:/|per |a |each )(?:s|sec|second)", "1/s", 1.0),
    (r"(?:/|per |a |each )(?:min|minute)", "1/min", 1.0),
    (r"1/s", "1/s", 1.0),
    (r"1/min", "1/min", 1.0),
    (r"s|secs?|seconds?", "s", 1.0),
    (r"m|mins?|minutes?", "s", 60.0),
    (r"h|hrs?|hours?", "s", 3600.0),
    (r"d|days?", "s", float(_DAY_S)),
    (r"%|percent|per cent", "ratio", 0.01),
    (r"times|x|×", "ratio", 1.0),
    (r"GB", "bytes", 1e9),
    (r"MB", "bytes", 1e6),
    (r"kB|KB", "bytes", 1e3),
    (r"bytes?|B", "bytes", 1.0),
)
_UNITS: Final = tuple(
    (re.compile(rf"[ -]?(?:{words})(?![A-Za-z_])"), dimension, factor)
    for words, dimension, factor in _UNIT_WORDS
)

SPELLED: Final[Mapping[str, float]] = MappingProxyType(
    {
        word: float(n)
        for n, word in enumerate(
            (
                *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
                *("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen"),
                *("seventeen", "eighteen", "nineteen", "twenty"),
            )
        )
    }
    | {"thirty": 30.0, "forty": 40.0, "fifty": 50.0, "sixty": 60.0, "ninety": 90.0}
    | {"hundred": 100.0, "thousand": 1000.0, "dozen": 12.0, "million": 1e6}
)
"""Numbers in words. `one` is read as a number too: who means a pronoun says it otherwise."""

_DIGITS: Final = re.compile(r"[-−]?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)")
_CLOCK: Final = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?(?: ?(?:UTC|Z)\b)?")
_DAY: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:T|(?![\w-]))")
_JOINT: Final = re.compile(r",? (?:and )?|(?=\d)")
"""Between the parts of one duration: `4 min 30 s`, `4 minutes and 30 seconds`, `4m30s`."""
_THOUSANDS: Final = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?![0-9,])")


def figures(text: str) -> tuple[Figure, ...]:
    """Every number, duration, share, rate, time of day and date in a text, in order.

    A digit inside a name or a version (`p99`, `OC000`, `history-0`, `1.32.1`) is none. A number
    followed by letters that are no unit has no dimension; what those mean is the caller's to
    judge.
    """
    found: list[Figure] = []
    at = 0
    while (next_ := _NEXT.search(text, at)) is not None:
        at = next_.start()
        word = _NAME.match(text, at)
        read = None
        if word is None or word[0].lower() in SPELLED:
            read = _figure_at(text, at)
        if read is not None:
            found.append(read)
            at = read.end
        else:
            at = word.end() if word else at + 1
    return tuple(found)


_NAME: Final = re.compile(r"[A-Za-z_][\w./-]*\w|[A-Za-z_]|[0-9]+(?:\.[0-9]+){2,}")
"""A word, an identifier or a version, with the digits and signs inside it."""
_NEXT: Final = re.compile(r"[A-Za-z_]|[-−.]?[0-9]")
"""Where a word or a number may begin."""


def _figure_at(text: str, at: int) -> Figure | None:
    if date := _DAY.match(text, at):
        return _day_figure(date)
    if time := _CLOCK.match(text, at):
        hours, minutes, seconds = int(time[1]), int(time[2]), int(time[3] or 0)
        value = float(hours * 3600 + minutes * 60 + seconds)
        return Figure(at, time.end(), Sort.CLOCK, value, "", 1.0 if time[3] else 60.0)
    first = _number_at(text, at)
    if first is None:
        return None
    return _with_more(text, first)


def _day_figure(date: re.Match[str]) -> Figure:
    try:
        start = Instant.from_utc(int(date[1]), int(date[2]), int(date[3])).timestamp()
    except ValueError:
        start = -1  # no such day: no instant is on it
    return Figure(date.start(), date.end(), Sort.DAY, float(start), "", float(_DAY_S))


def _number_at(text: str, at: int) -> Figure | None:
    """One number with its unit, if it has one."""
    if grouped := _THOUSANDS.match(text, at):
        digits, value, grain = grouped.end(), float(grouped[0].replace(",", "")), 1.0
    elif plain := _DIGITS.match(text, at):
        if (
            plain[0][0] in "-−"
            and at > 0
            and not text[at - 1].isspace()
            and text[at - 1] not in "("
        ):
            return None  # a dash between two figures, a hyphen in a name
        digits, value = plain.end(), float(plain[0].replace("−", "-"))
        grain = 10.0 ** -len(plain[0].partition(".")[2])
    elif (word := _NAME.match(text, at)) and word[0].lower() in SPELLED:
        digits, value, grain = word.end(), SPELLED[word[0].lower()], 1.0
    else:
        return None
    for expression, dimension, factor in _UNITS:
        if unit := expression.match(text, digits):
            return Figure(at, unit.end(), Sort.NUMBER, value * factor, dimension, grain * factor)
    return Figure(at, digits, Sort.NUMBER, value, "", grain)


def _with_more(text: str, first: Figure) -> Figure:
    """A duration with its smaller parts: `4 min` and `30 s` are one figure."""
    while first.dimension == "s" and first.grain >= 60:
        joint = _JOINT.match(text, first.end)
        more = None if joint is None else _number_at(text, joint.end())
        if more is None or more.dimension != "s" or more.grain >= first.grain:
            break
        first = Figure(
            first.start, more.end, Sort.NUMBER, first.value + more.value, "s", more.grain
        )
    return first
