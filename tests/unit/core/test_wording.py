"""Figures are written one way, and read back as what they were."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copilot_core.quantities import QUANTITIES
from copilot_core.signals import SIGNALS
from copilot_core.words.figures import Sort, figures
from copilot_core.words.wording import against, clock, day, moment, number

SLOT = 1_795_403_250

UNITS = sorted({s.unit for s in SIGNALS} | {q.unit for q in QUANTITIES} | {"of demand", "lines"})
CONTINUOUS = [u for u in UNITS if u in {"s", "ms", "ratio", "%", "1/s", "1/min", "ms/s", "bytes"}]

values = st.floats(min_value=1e-4, max_value=1e6).map(lambda v: float(f"{v:.6g}"))


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (270, "s", "4 min 30 s"),
        (120, "s", "2 min"),
        (59.7, "s", "1 min"),
        (4_689.9, "s", "1 h 18 min"),
        (100_000, "s", "1 d 4 h"),
        (0, "s", "0 s"),
        (350, "ms", "350 ms"),
        (0.31, "ms", "0.31 ms"),
        (5_000, "ms", "5 s"),
        (0.12, "ratio", "12 %"),
        (3.5, "ratio", "3.5 times"),
        (85, "%", "85 %"),
        (0.1, "of demand", "10 % of demand"),
        (5, "of usual", "5 times the usual"),
        (2 / 3, "1/s", "0.67 per second"),
        (3, "1/min", "3 per minute"),
        (1000, "1/s per host", "1000 per second per host"),
        (1, "processes", "1 process"),
        (1, "shards at once per host", "1 shard at once per host"),
        (512, "1/1024 core per task", "0.5 core per task"),
        (0, "slots", "0 slots"),
        (1.2e9, "bytes", "1.2 GB"),
    ],
)
def test_a_value_is_written_as_it_is_read_aloud(value: float, unit: str, text: str) -> None:
    """Units are words, times are hours, minutes and seconds, shares are per cent."""
    assert number(value, unit) == text


@given(values, st.sampled_from(CONTINUOUS))
def test_what_is_written_is_read_back(value: float, unit: str) -> None:
    """One figure, and it means the value that was written."""
    (found,) = figures(number(value, unit))
    assert found.means(value, unit)


@given(values, values, st.sampled_from(CONTINUOUS))
def test_a_value_and_its_threshold_never_read_alike(a: float, b: float, unit: str) -> None:
    """Unless they are the same."""
    value, threshold = against(a, b, unit)
    assert (value == threshold) == (a == b)
    for text, meant in ((value, a), (threshold, b)):
        (found,) = figures(text)
        assert found.means(meant, unit)


@given(values, st.sampled_from(CONTINUOUS), st.sampled_from([0.5, 0.9, 1.06, 1.2, 2.0, 10.0, 60.0]))
def test_another_value_is_not_meant(value: float, unit: str, factor: float) -> None:
    """A figure that is more than a twentieth away from a value does not mean it."""
    (found,) = figures(number(value * factor, unit, digits=6))
    assert not found.means(value, unit)


def test_a_unit_is_part_of_a_figure() -> None:
    """Milliseconds are no seconds, a rate is no share, a share is no count."""
    (found,) = figures("350 ms")
    assert found.means(350, "ms")
    assert found.means(0.35, "s")
    assert not found.means(350, "s")
    assert not found.means(350, "processes")
    assert not figures("12 %")[0].means(12, "slots")
    assert not figures("12 per second")[0].means(12, "1/min")


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("4m30s, 4 minutes and 30 seconds, 270 s", [270.0, 270.0, 270.0]),
        ("12 %, 12%, 12 percent", [0.12, 0.12, 0.12]),
        ("0.7/s and 0.7 per second", [0.7, 0.7]),
        ("1,200 calls of three workers", [1200.0, 3.0]),
        ("p99 of history-0 on 1.32.1 with OC000 from v2", []),
        ("twenty-five and 10.1.2.3 are left to others", []),
    ],
)
def test_other_ways_to_write_are_read_too(text: str, read: list[float]) -> None:
    """Digits inside names and versions are no figures."""
    assert [f.value for f in figures(text)] == pytest.approx(read)


def test_times_of_day_and_dates() -> None:
    """With or without seconds and zone; the date is told where it is another one."""
    assert clock(SLOT) == "03:07:30 UTC"
    assert day(SLOT) == "2026-11-23"
    assert moment(SLOT, seen_from=SLOT + 3600) == "03:07:30 UTC"
    assert moment(SLOT - 86_400, seen_from=SLOT) == "2026-11-22 03:07:30 UTC"
    for text in ("03:07:30 UTC", "03:07:30", "03:07 UTC", "3:07"):
        (found,) = figures(text)
        assert found.sort is Sort.CLOCK
        assert found.is_at(SLOT)
        assert not found.is_at(SLOT + 60)
        assert not found.is_at(SLOT - 60)
    date, time = figures("2026-11-23T03:07:30Z")
    assert date.is_at(SLOT)
    assert time.is_at(SLOT)
    assert not date.is_at(SLOT + 86_400)
    assert not figures("2026-02-30")[0].is_at(SLOT)
