"""What a Prometheus query API answers, as readings. Pure: bytes were read elsewhere.

Theory of operation. Every query of the signal table yields at most one number at one instant. A
vector of one series and a scalar are a number; an empty vector is `NO_SERIES`; anything else is a
failure that says what came instead, never a guess. A range answer is the same rule applied at each
of its instants, so that history reads exactly like the live view did.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from copilot_core.readings import Missing, Reading, reading
from copilot_streams.scrapers.backend import Failure, failed
from copilot_streams.spans import Span

MAX_SERIES: Final = 8
"""A range answer may hold a few series that follow each other in time; more is a wrong query."""


def instant_reading(data: Mapping[str, object]) -> Reading | Failure:
    """The number of an instant query's `data`, or why it has none."""
    kind, result = data.get("resultType"), data.get("result")
    match kind, result:
        case "scalar", [_, _]:
            return _number(result)
        case "vector", []:
            return Missing.NO_SERIES
        case "vector", [{"value": point}]:
            return _number(point)
        case "vector", [_, _, *_]:
            return failed("many_series", f"{len(result)} series where one number was asked for")
        case _:
            return failed("wrong_shape", f"resultType {kind!r} where one number was asked for")


def range_readings(data: Mapping[str, object], span: Span) -> list[Reading] | Failure:
    """The readings of a range query's `data`, one for each slot of the span.

    Several series are one reading each only where they do not overlap; where two have a value at
    the same instant, that instant is `SCRAPE_FAILED`, as the instant query would have been.
    """
    series = data.get("result")
    if data.get("resultType") != "matrix" or not isinstance(series, list):
        return failed("wrong_shape", f"resultType {data.get('resultType')!r}, matrix expected")
    if len(series) > MAX_SERIES:
        return failed("many_series", f"{len(series)} series where one was asked for")
    readings: list[Reading] = [Missing.NO_SERIES] * len(span)
    taken = bytearray(len(span))
    for one in series:
        points = one.get("values") if isinstance(one, dict) else None
        if not isinstance(points, list):
            return failed("wrong_shape", "a series without values")
        for point in points:
            index = span.index(point[0]) if isinstance(point, list) and point else None
            value = _number(point)
            if index is None or isinstance(value, Failure):
                return failed("wrong_shape", f"not a point of the asked range: {point!r:.80}")
            readings[index] = Missing.SCRAPE_FAILED if taken[index] else value
            taken[index] = 1
    return readings


def _number(point: object) -> Reading | Failure:
    match point:
        case [int() | float(), str() as text] if len(text) <= 32:
            try:
                return reading(float(text))
            except ValueError:
                pass
    return failed("wrong_shape", f"not a point: {point!r:.80}")
