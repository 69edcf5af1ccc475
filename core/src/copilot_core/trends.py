"""Trends over the window: the mean of the first against the second half, beyond 10 %.

A trend explains; it never moves the status. Fewer than four known points make no trend.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from copilot_core.readings import Missing, Reading
from copilot_core.signals import INDEX

TRENDED: Final[tuple[tuple[str, bool], ...]] = (
    ("transitions_per_s", True),
    ("persistence_p99_ms", False),
    ("history_backlog_age_s", False),
    ("frontend_p99_ms", False),
    ("frontend_error_ratio", False),
)
"""Signals with a trend, and whether more is better."""

TOLERANCE: Final = 0.1
MIN_POINTS: Final = 4


@dataclass(frozen=True, slots=True)
class Trend:
    """`direction`: improving, worsening or stable; `sufficient` is False with too few known points.
    `change` is the second half's mean over the first's, minus one; None when it cannot be told."""

    signal: str
    direction: str
    sufficient: bool
    change: float | None


def directions(slots: Sequence[tuple[Reading, ...]]) -> dict[str, str]:
    """Which trended signals improve or worsen over slots in order of time; the others are left out.

    A slot holds its readings in signal order.
    """
    found = {}
    for name, more_is_better in TRENDED:
        told = trend(name, [slot[INDEX[name]] for slot in slots], more_is_better=more_is_better)
        if told.direction != "stable":
            found[name] = told.direction
    return found


def trend(signal: str, readings: Sequence[Reading], *, more_is_better: bool) -> Trend:
    """The trend of one signal over readings in order of time."""
    points = [r for r in readings if not isinstance(r, Missing)]
    if len(points) < MIN_POINTS:
        return Trend(signal, "stable", sufficient=False, change=None)
    half = len(points) // 2
    first = sum(points[:half]) / half
    second = sum(points[half:]) / (len(points) - half)
    if first == 0.0:
        return Trend(
            signal,
            _direction(second > 0.0, second < 0.0, more_is_better),
            sufficient=True,
            change=None,
        )
    change = second / first - 1.0
    return Trend(
        signal,
        _direction(change > TOLERANCE, change < -TOLERANCE, more_is_better),
        sufficient=True,
        change=round(change, 4),
    )


def _direction(up: bool, down: bool, more_is_better: bool) -> str:
    if not up and not down:
        return "stable"
    return "improving" if up == more_is_better else "worsening"
