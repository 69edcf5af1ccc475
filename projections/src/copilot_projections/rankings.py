"""Rankings of causes as answers show them: what the event says, and the row of the table beside it.

Order, scores, evidence and what speaks against a cause are those of the event. The cause in words,
the safe next step and the runbook come from the table of causes of this program; they are empty for
a cause that it does not know (recorded by a newer one). A cause that is not seen any more has no
next step: what was stopped runs again, and is not started a second time.
"""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field

from copilot_core.causes import CAUSE
from copilot_core.events import CannotTell, CausesRanked, Evidence, RankedCause, SignSeen, Status
from copilot_core.readings import Missing
from copilot_projections import telling
from copilot_projections.shape import Answer, At, at, ms
from copilot_projections.telling import words


class SignLine(Answer):
    """A sign that was seen: what was read, and the figure that it was compared with."""

    sign: str = Field(description="id of the sign in the table of causes")
    signal: str
    value: float
    comparison: str
    threshold: float
    unit: str
    at: At
    at_ms: int
    text: str


class CauseLine(Answer):
    """A cause that the rules found, with what it rests on."""

    rank: int = Field(description="1 is the likeliest")
    cause: str = Field(description="component and kind as one reads them")
    component: str
    kind: str
    score: float = Field(description="share of its signs that were seen, by weight; 0 to 1")
    since: At
    since_ms: int
    now: bool = Field(description="false when it is not seen any more and not forgotten yet")
    says: str = Field(description="the cause as the end of a sentence")
    evidence: tuple[SignLine, ...]
    against: tuple[SignLine, ...]
    action: str = Field(description="the safe next step while it is seen, from the table of causes")
    runbook: str = Field(description="name of the runbook page, empty for none")


class UntoldCause(Answer):
    """A cause that cannot be told from another one, or from none, for want of a signal."""

    cause: str
    component: str
    kind: str
    rather_than: str | None = Field(description="component/kind of the other; null for none")
    signal: str
    missing: Missing
    text: str


class Ranking(Answer):
    """Which causes explain what was seen from `at` on, likeliest first; null `until`: still in
    force."""

    cluster: str
    at: At
    at_ms: int
    until: At | None
    until_ms: int | None
    trouble_since: At | None = Field(description="first slot of the trouble; null when none")
    trouble_since_ms: int | None
    status: Status
    evidence: Evidence
    likeliest: str = Field(description="the first cause, empty when there is none")
    score: float | None = Field(description="score of the first cause")
    causes: tuple[CauseLine, ...]
    cannot_tell: tuple[UntoldCause, ...]
    graph_digest: str
    event_id: str
    shard: int
    position: int


def cause_lines(causes: Iterable[RankedCause]) -> tuple[CauseLine, ...]:
    """Causes in the order of the event."""
    return tuple(_line(rank, cause) for rank, cause in enumerate(causes, start=1))


def _line(rank: int, cause: RankedCause) -> CauseLine:
    row = CAUSE.get(f"{cause.component}/{cause.kind}")
    return CauseLine(
        rank=rank,
        cause=words(cause.component, cause.kind),
        component=cause.component,
        kind=cause.kind,
        score=cause.score,
        since=at(cause.since),
        since_ms=ms(cause.since),
        now=cause.now,
        says=row.says if row else "",
        evidence=tuple(map(_sign, cause.evidence)),
        against=tuple(map(_sign, cause.against)),
        action=row.action if row and cause.now else "",
        runbook=row.runbook if row else "",
    )


def _sign(sign: SignSeen) -> SignLine:
    return SignLine(
        sign=sign.id,
        signal=sign.signal,
        value=sign.value,
        comparison=sign.comparison,
        threshold=sign.threshold,
        unit=sign.unit,
        at=at(sign.at),
        at_ms=ms(sign.at),
        text=telling.seen_sign(sign),
    )


def untold(cannot_tell: Iterable[CannotTell]) -> tuple[UntoldCause, ...]:
    """What cannot be told, in the order of the event."""
    return tuple(
        UntoldCause(
            cause=words(c.component, c.kind),
            component=c.component,
            kind=c.kind,
            rather_than=c.rather_than,
            signal=c.signal,
            missing=c.missing,
            text=telling.untold(c),
        )
        for c in cannot_tell
    )


def ranking(
    event: CausesRanked,
    *,
    cluster: str,
    until_slot: int | None,
    event_id: str,
    shard: int,
    position: int,
) -> Ranking:
    """The answer about one event; `until_slot` is the slot of the next ranking."""
    return Ranking(
        cluster=cluster,
        at=at(event.slot),
        at_ms=ms(event.slot),
        until=None if until_slot is None else at(until_slot),
        until_ms=None if until_slot is None else ms(until_slot),
        trouble_since=at(event.since) if event.since else None,
        trouble_since_ms=ms(event.since) if event.since else None,
        status=event.status,
        evidence=event.evidence,
        likeliest=words(event.causes[0].component, event.causes[0].kind) if event.causes else "",
        score=event.causes[0].score if event.causes else None,
        causes=cause_lines(event.causes),
        cannot_tell=untold(event.cannot_tell),
        graph_digest=event.graph_digest,
        event_id=event_id,
        shard=shard,
        position=position,
    )
