"""An answer of the query API is one number, or a reason, or a failure that says what came."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from copilot_core.readings import Missing, Reading
from copilot_streams.scrapers.answers import instant_reading, range_readings
from copilot_streams.scrapers.backend import Failure
from copilot_streams.spans import Span

SPAN = Span(first=60, last=150, step_s=30)


def series(*values: str) -> dict[str, object]:
    return {"resultType": "vector", "result": [{"metric": {}, "value": [60, v]} for v in values]}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (series("1.5"), 1.5),
        (series("0"), 0.0),
        (series("-0"), 0.0),
        (series("1234567.89"), 1234570.0),
        (series("1e+06"), 1e6),
        (series(), Missing.NO_SERIES),
        (series("NaN"), Missing.NOT_A_NUMBER),
        (series("+Inf"), Missing.NOT_A_NUMBER),
        (series("-Inf"), Missing.NOT_A_NUMBER),
        ({"resultType": "scalar", "result": [60, "2"]}, 2.0),
        ({"resultType": "scalar", "result": [60, "NaN"]}, Missing.NOT_A_NUMBER),
    ],
)
def test_a_good_answer_is_a_reading(data: dict[str, object], expected: Reading) -> None:
    """One number is itself to six digits, nothing is NO_SERIES, NaN and infinity NOT_A_NUMBER."""
    assert instant_reading(data) == expected


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (series("1", "2"), "many_series"),
        ({"resultType": "vector", "result": [{"value": [60, "1"]}] * 100_000}, "many_series"),
        ({"resultType": "matrix", "result": []}, "wrong_shape"),
        ({"resultType": "string", "result": [60, "hello"]}, "wrong_shape"),
        ({"resultType": "vector", "result": None}, "wrong_shape"),
        ({"resultType": "vector", "result": [{"metric": {}}]}, "wrong_shape"),
        ({"resultType": "vector", "result": [{"histogram": [60, {}]}]}, "wrong_shape"),
        ({"resultType": "scalar", "result": [60]}, "wrong_shape"),
        ({}, "wrong_shape"),
        (series("one"), "wrong_shape"),
        (series(""), "wrong_shape"),
        (series("9" * 100_000), "wrong_shape"),
        ({"resultType": "vector", "result": [{"value": [60, 1.0]}]}, "wrong_shape"),
        ({"resultType": "vector", "result": [{"value": ["60", "1"]}]}, "wrong_shape"),
    ],
)
def test_anything_else_is_a_failure(data: dict[str, object], cause: str) -> None:
    """Several series, another type, numbers that are none: never a guess."""
    answer = instant_reading(data)
    assert isinstance(answer, Failure)
    assert (answer.reason, answer.cause) == (Missing.SCRAPE_FAILED, cause)


def matrix(*points: Sequence[Sequence[object]]) -> dict[str, object]:
    return {"resultType": "matrix", "result": [{"metric": {}, "values": p} for p in points]}


def test_a_range_reads_slot_by_slot() -> None:
    """Points fall on their slots, holes are NO_SERIES, NaN is NOT_A_NUMBER."""
    data = matrix([[60, "1"], [120, "NaN"], [150, "3"]])
    assert range_readings(data, SPAN) == [1.0, Missing.NO_SERIES, Missing.NOT_A_NUMBER, 3.0]


def test_series_that_follow_each_other_are_one_reading_each() -> None:
    """A query whose labels change over time reads on; where two overlap the instant is refused, as
    the instant query would have been."""
    data = matrix([[60, "1"], [90, "2"]], [[90, "5"], [120, "3"]])
    assert range_readings(data, SPAN) == [1.0, Missing.SCRAPE_FAILED, 3.0, Missing.NO_SERIES]


def test_no_series_in_a_range_is_no_series_everywhere() -> None:
    """An empty matrix was answered, with nothing in it."""
    assert range_readings(matrix(), SPAN) == [Missing.NO_SERIES] * 4


@pytest.mark.parametrize(
    "data",
    [
        matrix([[61, "1"]]),
        matrix([[180, "1"]]),
        matrix([["60", "1"]]),
        matrix([[60]]),
        matrix(*[[[60, "1"]]] * 100),
        {"resultType": "vector", "result": []},
        {"resultType": "matrix", "result": [{"values": 3}]},
        {"resultType": "matrix", "result": ["x"]},
    ],
)
def test_a_range_that_was_not_asked_for_is_a_failure(data: dict[str, object]) -> None:
    """Points off the slots or outside the span, too many series, another type: refused whole."""
    answer = range_readings(data, SPAN)
    assert isinstance(answer, Failure)
    assert answer.reason is Missing.SCRAPE_FAILED
