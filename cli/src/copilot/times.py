"""How people write instants and durations on the command line.

An instant is RFC 3339 with an offset (`2026-11-22T17:10:30Z`) or Unix seconds (`1795367430`). A
time without an offset is refused: nobody can tell which night it meant. A duration is a chain of
numbers with units (`30s`, `5m`, `1h30m`, `2d`); a bare number is seconds.
"""

from __future__ import annotations

import re
from typing import Final

from whenever import Instant

from copilot_core.errors import Rejected

SECONDS_OF: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_PART: Final = re.compile(r"(\d+)([smhd])")
_DURATION: Final = re.compile(r"(?:\d+[smhd])+|\d+")
_UNIX_SECONDS: Final = re.compile(r"\d{1,12}(?:\.\d+)?")


def instant(text: str) -> Instant:
    """Read an instant; raises `Rejected` (code `bad_time`) for anything else."""
    try:
        if _UNIX_SECONDS.fullmatch(text):
            return Instant.from_timestamp(float(text))
        return Instant.parse_iso(text)
    except (ValueError, OverflowError) as e:
        raise Rejected(
            f"{text!r} is not a point in time", code="bad_time",
            todo="write RFC 3339 with an offset, 2026-11-22T17:10:30Z, or Unix seconds, 1795367430",
        ) from e  # fmt: skip


def duration_s(text: str | int) -> int:
    """Read a duration in whole seconds, at least one; raises `Rejected` (code `bad_duration`).

    A number is seconds already: Typer sends the defaults of options through here, too.
    """
    text = str(text)
    if _DURATION.fullmatch(text):
        parts = _PART.findall(text)
        seconds = sum(int(n) * SECONDS_OF[unit] for n, unit in parts) if parts else int(text)
        if seconds > 0:
            return seconds
    raise Rejected(
        f"{text!r} is not a duration", code="bad_duration", todo="write it as 30s, 5m, 1h30m or 2d"
    )


def rfc3339(at: Instant) -> str:
    """An instant the way every output writes it: RFC 3339 in UTC."""
    return at.format_iso()


def rfc3339_of(slot: int) -> str:
    """A slot, in Unix seconds, the same way."""
    return rfc3339(Instant.from_timestamp(slot))
