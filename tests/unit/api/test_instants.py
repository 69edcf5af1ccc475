"""Times of requests: two spellings, and a sentence for every other."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from whenever import Instant

from copilot_api.instants import EARLIEST, LATEST, epoch_ms, parse, rfc3339

SECONDS = st.integers(EARLIEST.timestamp(), LATEST.timestamp() - 1)


@given(SECONDS)
def test_both_spellings_name_the_same_instant(seconds: int) -> None:
    """RFC 3339 and Unix seconds of one instant are read as that instant."""
    at = Instant.from_timestamp(seconds)
    assert parse(str(seconds)) == parse(rfc3339(at)) == at
    assert epoch_ms(at) == seconds * 1000


def test_an_offset_is_honoured() -> None:
    """05:07+02:00 is 03:07Z: the offset moves the instant, it is not dropped."""
    assert parse("2026-08-21T05:07:00+02:00") == parse("2026-08-21T03:07:00Z")


def test_fractions_survive_to_the_millisecond() -> None:
    """A fraction of a second is kept, and shown only when there is one."""
    assert rfc3339(parse("1787281620.25")) == "2026-08-21T03:07:00.250Z"
    assert rfc3339(parse("1787281620")) == "2026-08-21T03:07:00Z"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("1787281620000", "divide milliseconds"),
        ("2026-08-21T03:07:00", "offset"),
        ("2026-08-21T03:07:00 02:00", "%2B"),
        ("1999-12-31T23:59:59Z", "between the years"),
        ("yesterday", "RFC 3339"),
        ("", "RFC 3339"),
        ("nan", "RFC 3339"),
        ("٣", "RFC 3339"),
    ],
)
def test_a_refused_time_is_told_how_to_write_it(text: str, says: str) -> None:
    """Each common slip gets a sentence that names the way out."""
    with pytest.raises(ValueError, match=says):
        parse(text)


@given(st.text(max_size=60))
def test_no_text_ends_in_anything_but_an_instant_or_a_value_error(text: str) -> None:
    """Whatever a caller writes, reading it raises nothing but ValueError."""
    at = EARLIEST
    with suppress(ValueError):
        at = parse(text)
    assert EARLIEST <= at < LATEST
