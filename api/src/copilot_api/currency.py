"""How current an answer is: the age of what was last seen, and the age of the answer itself.

Theory of operation. A status is recorded together with its evidence, and stays what it is: the log
does not age. What a reader must never see is an old "happy, fresh" that looks like the present. So
an answer about the present carries two ages:

    slot_age_s   from the newest slot that was folded to now; grows when the line stands still
    age_s        from the moment this process read the database to now; grows when the store is away

A status whose newest slot is older than two of its own intervals is not `current`: its `evidence`
reads `blind`, whatever was recorded (`evidence_recorded`), and `currency` says so in words. This is
age, not health: `status` itself is never touched, and no rule table is involved.
"""

from __future__ import annotations

from typing import Final, Self

from pydantic import Field
from whenever import Instant

from copilot_api.instants import epoch_ms, rfc3339
from copilot_core.events import Evidence
from copilot_projections.explained import ExplanationLine
from copilot_projections.full_status import FullStatus
from copilot_projections.shape import Answer
from copilot_projections.views.clusters import ClusterSummary

CURRENT_FOR_INTERVALS: Final = 2
"""A slot is open for one interval, and a gap is held open for one more."""


class _Dated(Answer):
    """What is put beside a status: how old it is, in numbers and in words."""

    evidence_recorded: Evidence = Field(description="evidence as the log has it")
    slot_age_s: float = Field(description="seconds from the newest slot folded to `asked_at`")
    current: bool = Field(description="false when the newest slot is older than two intervals")
    currency: str = Field(description="the ages in one sentence")
    asked_at: str = Field(description="the instant this answer is about, RFC 3339")
    asked_at_ms: int
    stale: bool = Field(description="true when the database is away and this was read earlier")
    read_at: str = Field(description="when the database gave this, RFC 3339")
    read_at_ms: int
    age_s: float = Field(description="seconds since `read_at`")


class StatusAnswer(FullStatus, _Dated):
    """Everything believed of a cluster, and how old that is. `evidence` reads blind when the
    newest slot is too old to speak for `asked_at`."""

    headline: str | None = Field(
        description="this status in one sentence; null until it was put into words"
    )
    explanation: ExplanationLine | None = Field(
        description="the newest words about this status; they decide nothing"
    )

    @classmethod
    def of(
        cls,
        full: FullStatus,
        explained: ExplanationLine | None,
        *,
        asked_at: Instant,
        read_at: Instant,
        stale: bool,
    ) -> Self:
        """Date a full status; `asked_at` is now, or the past instant that was asked for."""
        dates = _dates(full.at, full.interval_s, full.evidence, asked_at, read_at, stale)
        said = {"headline": explained and explained.headline, "explanation": explained}
        return cls.model_validate({**dict(full), **said, **dates})


class ClusterLine(ClusterSummary, _Dated):
    """One cluster in the list of all, and how old its line is; `evidence` as in StatusAnswer."""

    @classmethod
    def of(cls, line: ClusterSummary, *, asked_at: Instant, read_at: Instant, stale: bool) -> Self:
        """Date one line of the list of clusters."""
        dates = _dates(line.last_slot, line.interval_s, line.evidence, asked_at, read_at, stale)
        return cls.model_validate({**dict(line), **dates})


def _dates(
    slot: Instant,
    interval_s: int,
    evidence: Evidence,
    asked_at: Instant,
    read_at: Instant,
    stale: bool,
) -> dict[str, object]:
    slot_age_s = round((asked_at - slot).total("seconds"), 3)
    age_s = round((asked_at - read_at).total("seconds"), 3) if stale else 0.0
    current = interval_s > 0 and slot_age_s <= CURRENT_FOR_INTERVALS * interval_s
    return {
        "evidence": evidence if current else Evidence.BLIND,
        "evidence_recorded": evidence,
        "slot_age_s": slot_age_s,
        "current": current,
        "currency": _words(
            slot_age_s, interval_s, current=current, stale_s=age_s if stale else None
        ),
        "asked_at": rfc3339(asked_at),
        "asked_at_ms": epoch_ms(asked_at),
        "stale": stale,
        "read_at": rfc3339(read_at),
        "read_at_ms": epoch_ms(read_at),
        "age_s": age_s,
    }


def _words(slot_age_s: float, interval_s: int, *, current: bool, stale_s: float | None) -> str:
    if interval_s == 0:
        said = "no sample was ever recorded"
    elif current:
        said = f"the newest slot is {slot_age_s:.0f} s old (interval {interval_s} s)"
    else:
        said = (
            f"NOT CURRENT: the newest slot is {slot_age_s:.0f} s old (interval {interval_s} s);"
            " this is the last known state, not the present one"
        )
    if stale_s is not None:
        said += f"; the database cannot be read, this was read {stale_s:.0f} s ago"
    return said
