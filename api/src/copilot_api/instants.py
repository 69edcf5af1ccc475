"""Times as callers write them, and as answers show them.

A request may name a time as RFC 3339 (`2026-08-21T03:07:00Z`) or as Unix seconds (`1787281620`).
An answer gives each time twice: as RFC 3339 in UTC, for people, and in milliseconds since the epoch
in a column ending in `_ms`, which Grafana takes as a time without any transformation.
"""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import PlainValidator, WithJsonSchema
from whenever import Instant

EARLIEST: Final = Instant.from_utc(2000, 1, 1)
LATEST: Final = Instant.from_utc(2100, 1, 1)
"""The same bounds as a slot has: a time outside them is a slip, most often milliseconds."""

_UNIX: Final = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,9})?", re.ASCII)


def parse(text: str) -> Instant:
    """Read a time of a request; raises `ValueError` with a sentence for the caller."""
    text = text.strip()
    if _UNIX.fullmatch(text):
        seconds = float(text)
        if not EARLIEST.timestamp() <= seconds < LATEST.timestamp():
            raise ValueError(
                f"{text} is not between 2000 and 2100 in Unix seconds (divide milliseconds by 1000)"
            )
        return Instant.from_timestamp(round(seconds * 1000), unit="millisecond")
    try:
        at = Instant.parse_iso(text)
    except ValueError as e:
        raise ValueError(
            f"{text[:40]!r} is neither RFC 3339 with an offset (2026-08-21T03:07:00Z; + is written"
            " %2B in a URL) nor Unix seconds"
        ) from e
    if not EARLIEST <= at < LATEST:
        raise ValueError(f"{text[:40]} is not between the years 2000 and 2100")
    return at


def epoch_ms(at: Instant) -> int:
    """A time for machines: milliseconds since 1970."""
    return at.timestamp(unit="millisecond")


def rfc3339(at: Instant) -> str:
    """A time for people: UTC, to the second, or to the millisecond where it has one."""
    return at.format_iso(unit="millisecond" if epoch_ms(at) % 1000 else "second")


When = Annotated[
    Instant,
    PlainValidator(parse),
    WithJsonSchema(
        {"type": "string", "examples": ["2026-08-21T03:07:00Z", "1787281620"], "maxLength": 40}
    ),
]
"""A query parameter that names a time."""
