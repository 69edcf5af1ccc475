"""The name that was meant: the nearest of a few names to one that is none of them.

Keys of the server are too many and too much alike for this; `server.names` has a way of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

NEAR: Final = 60
"""Likeness in percent (rapidfuzz's ratio) from which a name may have been meant."""

_TELLING: Final = 4
"""Letters from which a part of a name tells something."""

_LONGEST: Final = 200
"""Letters of a name that are looked at; no real one has half as many."""


def nearest(name: str, names: Iterable[str], *, at_least: int = NEAR) -> str | None:
    """The nearest of some names, or None when none is near.

    Near is a name of which most letters (`at_least` percent) stand in the same order, with or
    without the part before its last dot. One that holds the text as it is or begins it counts as
    `NEAR`. Of equally near ones it is the first.
    """
    from rapidfuzz import fuzz  # 25 ms that a request without mistakes does not pay

    wanted = name[:_LONGEST].lower()

    def likeness(candidate: str) -> float:
        lower = candidate.lower()
        alike = max(fuzz.ratio(wanted, lower), fuzz.ratio(wanted, lower.rpartition(".")[2]))
        holds = (len(wanted) >= _TELLING and wanted in lower) or wanted.startswith(lower)
        return max(alike, NEAR) if holds else alike

    best = max(((likeness(one), one) for one in names), key=lambda row: row[0], default=None)
    return best[1] if best is not None and best[0] >= at_least else None
