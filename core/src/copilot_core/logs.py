"""Log patterns: counted, compared with their usual count, never deciding.

A pattern surges when a slot counts at least `SURGE_FACTOR` times its usual number and at least
`MIN_SURGE`. The usual number is an exponentially weighted mean per service and pattern.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from copilot_core.events import LogPatternSurged, LogSampleRecorded
from copilot_core.samples import LogSample

SURGE_FACTOR: Final = 5.0
MIN_SURGE: Final = 5
WEIGHT: Final = 0.1
"""Weight of the newest slot in the usual count: about ten slots of memory."""
LEARNING_SLOTS: Final = 3
"""Slots before a pattern's usual count means anything; a pattern never seen before has been at
0."""


def decide(
    sample: LogSample, usual: Mapping[str, tuple[float, int]]
) -> Iterator[LogSampleRecorded | LogPatternSurged]:
    """The recorded counts, then a surge per service and pattern, in order of name."""
    yield LogSampleRecorded(
        slot=sample.slot,
        interval_s=sample.interval_s,
        counts=sample.counts,
        missing=sample.missing,
        excerpts=sample.excerpts,
    )
    learned = max((slots for _, slots in usual.values()), default=0)
    for service, patterns in sorted((sample.counts or {}).items()):
        for pattern, count in sorted(patterns.items()):
            mean, _ = usual.get(f"{service}/{pattern}", (0.0, 0))
            if learned >= LEARNING_SLOTS and count >= MIN_SURGE and count >= SURGE_FACTOR * mean:
                yield LogPatternSurged(
                    slot=sample.slot,
                    service=service,
                    pattern=pattern,
                    count=count,
                    usual=round(mean, 3),
                )


def flat(counts: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    """Counts by `service/pattern`, in order of name."""
    return {
        f"{service}/{pattern}": n
        for service, patterns in sorted(counts.items())
        for pattern, n in sorted(patterns.items())
    }


def learn(
    usual: Mapping[str, tuple[float, int]], counts: dict[str, dict[str, int]] | None
) -> dict[str, tuple[float, int]]:
    """The usual counts after one slot; unchanged when the log backend was not read."""
    if counts is None:
        return dict(usual)
    seen = flat(counts)
    return {
        key: (
            round((1 - WEIGHT) * usual.get(key, (0.0, 0))[0] + WEIGHT * seen.get(key, 0), 6),
            usual.get(key, (0.0, 0))[1] + 1,
        )
        for key in sorted({*usual, *seen, "*"})
    }
