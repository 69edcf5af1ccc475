"""Log patterns: how often each template was logged, per slot and service, and when one surged.

Counts are kept for `KEPT_S` and forgotten by the cluster's own event time; surges are kept for
ever. The few raw lines that come along are untrusted text, for human eyes: the field's name says so
wherever it goes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import orjson
from whenever import Instant

from copilot_core.events import LogPatternSurged, LogSampleRecorded, RecordedEvent
from copilot_core.readings import Missing
from copilot_projections.reader import ViewReader
from copilot_projections.shape import Answer, At, Rows, Table, View, at, ms
from copilot_projections.shown import shown

KEPT_S: Final = 7 * 24 * 3600
"""Counts older than this, by the newest slot of the cluster, are forgotten."""


@dataclass(frozen=True, slots=True)
class LogSlotRow:
    """One slot. `counts` is JSON (service to pattern to count), empty text when the log could not
    be read, for the reason in `missing`; `excerpts` is a JSON list of untrusted lines."""

    cluster: str
    slot: int
    interval_s: int
    counts: str
    missing: str
    excerpts: str


@dataclass(frozen=True, slots=True)
class SurgeRow:
    """A pattern that occurred far more often than usual in one slot."""

    cluster: str
    slot: int
    service: str
    pattern: str
    count: int
    usual: float


SLOTS = Table("log_patterns", LogSlotRow, key=("cluster", "slot"))
SURGES = Table("log_surges", SurgeRow, key=("cluster", "slot", "service", "pattern"))


def apply(rows: Rows, events: Sequence[RecordedEvent]) -> None:
    """Add a row per slot and per surge; with each slot the oldest counts go."""
    for recorded in events:
        match recorded.decoded():
            case LogSampleRecorded() as sample:
                rows.put(
                    SLOTS,
                    LogSlotRow(
                        cluster=recorded.cluster,
                        slot=sample.slot,
                        interval_s=sample.interval_s,
                        counts=""
                        if sample.counts is None
                        else orjson.dumps(sample.counts, option=orjson.OPT_SORT_KEYS).decode(),
                        missing=sample.missing or "",
                        excerpts=orjson.dumps([e.model_dump() for e in sample.excerpts]).decode(),
                    ),
                )
                rows.prune(SLOTS, recorded.cluster, sample.slot - KEPT_S)
            case LogPatternSurged() as surge:
                rows.put(
                    SURGES,
                    SurgeRow(
                        recorded.cluster,
                        surge.slot,
                        surge.service,
                        surge.pattern,
                        surge.count,
                        surge.usual,
                    ),
                )


VIEW = View(
    "log_patterns",
    1,
    (SLOTS, SURGES),
    takes=frozenset({LogSampleRecorded.__name__, LogPatternSurged.__name__}),
    apply=apply,
)


class PatternCount(Answer):
    """How often a pattern occurred in one slot. A slot whose log could not be read is one line with
    `count` None, the reason in `missing`, and no service or pattern."""

    cluster: str
    at: At
    at_ms: int
    interval_s: int
    service: str | None
    pattern: str | None
    count: int | None
    missing: Missing | None


class PatternSurge(Answer):
    """A pattern that occurred far more often than in the slots before. Explains, never decides."""

    cluster: str
    at: At
    at_ms: int
    service: str
    pattern: str
    count: int
    usual: float


class Excerpt(Answer):
    """One raw log line, shown to people only: whoever can write a log line wrote this text."""

    cluster: str
    at: At
    at_ms: int
    service: str
    pattern: str
    untrusted_text: str


def _counts(row: LogSlotRow) -> list[PatternCount]:
    def line(
        service: str | None, pattern: str | None, count: int | None, missing: Missing | None
    ) -> PatternCount:
        return PatternCount(
            cluster=row.cluster,
            at=at(row.slot),
            at_ms=ms(row.slot),
            interval_s=row.interval_s,
            service=service,
            pattern=pattern,
            count=count,
            missing=missing,
        )

    if row.missing:
        return [line(None, None, None, Missing(row.missing))]
    counts: dict[str, dict[str, int]] = orjson.loads(row.counts)
    return [line(s, p, n, None) for s, patterns in counts.items() for p, n in patterns.items()]


async def counts(
    views: ViewReader, cluster: str, *, since: Instant, until: Instant, limit_slots: int = 1000
) -> list[PatternCount]:
    """Counts of the newest `limit_slots` slots in [`since`, `until`), newest slot first."""
    found = await views.fetch(
        VIEW, "slots", cluster, since.timestamp(), until.timestamp(), limit_slots
    )
    return [line for record in found for line in _counts(LogSlotRow(**record))]


async def excerpts(
    views: ViewReader, cluster: str, *, since: Instant, until: Instant, limit_slots: int = 1000
) -> list[Excerpt]:
    """The raw lines of the newest `limit_slots` slots in [`since`, `until`), newest slot first."""
    found = await views.fetch(
        VIEW, "slots", cluster, since.timestamp(), until.timestamp(), limit_slots
    )
    return [
        Excerpt(
            cluster=cluster,
            at=at(row.slot),
            at_ms=ms(row.slot),
            **{**line, "untrusted_text": shown(line["untrusted_text"])},
        )
        for row in (LogSlotRow(**record) for record in found)
        for line in orjson.loads(row.excerpts)
    ]


async def surges(
    views: ViewReader, cluster: str, *, since: Instant, until: Instant, limit: int = 1000
) -> list[PatternSurge]:
    """The newest `limit` surges in [`since`, `until`), newest first."""
    found = await views.fetch(VIEW, "surges", cluster, since.timestamp(), until.timestamp(), limit)
    return [
        PatternSurge(
            cluster=row.cluster,
            at=at(row.slot),
            at_ms=ms(row.slot),
            service=row.service,
            pattern=row.pattern,
            count=row.count,
            usual=row.usual,
        )
        for row in (SurgeRow(**record) for record in found)
    ]
