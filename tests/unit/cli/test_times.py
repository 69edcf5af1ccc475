"""How instants and durations are read from the command line."""

from __future__ import annotations

import pytest
from whenever import Instant

from copilot.times import duration_s, instant, rfc3339
from copilot_core.errors import Rejected


@pytest.mark.parametrize(
    "text",
    ["2026-11-22T17:10:30Z", "2026-11-22T18:10:30+01:00", "1795367430", "1795367430.0"],
)
def test_one_instant_in_every_spelling(text: str) -> None:
    """RFC 3339 in any offset and Unix seconds name the same instant."""
    assert instant(text) == Instant.from_utc(2026, 11, 22, 17, 10, 30)


@pytest.mark.parametrize("text", ["2026-11-22T17:10:30", "yesterday", "", "-5", "nan", "9" * 12])
def test_what_names_no_instant_is_refused_with_a_way_out(text: str) -> None:
    """A time without an offset, or no time at all, is refused; the message shows how."""
    with pytest.raises(Rejected) as caught:
        instant(text)
    assert caught.value.code == "bad_time"
    assert "2026-11-22T17:10:30Z" in caught.value.todo


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("5m", 300), ("1h30m", 5400), ("2d", 172_800), ("45", 45)]
)
def test_durations(text: str, seconds: int) -> None:
    """Numbers with units add up; a bare number is seconds."""
    assert duration_s(text) == seconds


@pytest.mark.parametrize("text", ["0s", "0", "", "s", "1.5h", "-30s", "30 s", "5 minutes", "30S"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    """Zero, fractions and words are refused: a slot of no length would never end."""
    with pytest.raises(Rejected) as caught:
        duration_s(text)
    assert caught.value.code == "bad_duration"


def test_output_is_rfc_3339_in_utc() -> None:
    """What is printed can be read back."""
    at = instant("2026-11-22T18:10:30+01:00")
    assert rfc3339(at) == "2026-11-22T17:10:30Z"
    assert instant(rfc3339(at)) == at
