"""Issues: what is wrong with a cluster now, in the order in which to look at it.

Theory of operation. Nothing is decided here. Each row repeats something that the full status says:
a cause that was found, a gate that fired, sight that is lacking, a cause that cannot be told. The
order is a table:

    outdated   the newest slot is too old to speak for now: nothing below may be true any more
    blind      the rules could not see what they need: the status is held, not seen
    cause      likeliest first, those that are seen now before those that were
    gate       critical before stressed, in the order of the rules
    partial    some of what the rules need could not be seen
    untold     a cause that may be there, and the signal that would tell

No row at all means: nothing is wrong that the rules look for, in full sight, now.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Final

from pydantic import Field
from whenever import Instant

from copilot_core.events import Evidence, GateFinding, Status
from copilot_core.rules import GATES
from copilot_projections.full_status import FullStatus
from copilot_projections.shape import Answer, At, ms

_GATE: Final = {gate.id: gate for gate in GATES}
_GATE_RANK: Final = {gate.id: rank for rank, gate in enumerate(GATES)}
SIGNALS_NAMED: Final = 5
"""Missing signals that a summary names; the status has them all."""


class IssueKind(StrEnum):
    """What makes a row an issue, in the order in which issues are ranked."""

    OUTDATED = "outdated"
    BLIND = "blind"
    CAUSE = "cause"
    GATE = "gate"
    PARTIAL = "partial"
    UNTOLD = "untold"


class Issue(Answer):
    """One open problem. Columns that a kind has nothing to say in are null or empty."""

    rank: int = Field(description="1 is what to look at first")
    kind: IssueKind
    cluster: str
    status: Status = Field(description="how bad it is: the status it goes with")
    subject: str = Field(description="the cause, the gate, or `evidence`")
    summary: str
    since: At | None
    since_ms: int | None
    score: float | None = Field(description="score of a cause, 0 to 1")
    signal: str = Field(description="what a gate compares, or what is missing")
    value: float | None = Field(description="what the gate's signal read in the newest slot")
    threshold: float | None = Field(description="what it was held to when the status changed")
    unit: str
    evidence: tuple[str, ...] = Field(description="signs that were seen, as text")
    action: str = Field(description="the safe next step, empty where the rules know none")
    runbook: str = Field(description="name of the runbook page, empty for none")


def open_issues(full: FullStatus, *, outdated: str = "") -> tuple[Issue, ...]:
    """What is wrong according to a full status, first things first.

    `outdated` says in words why the status is too old to speak for now; empty while it does.
    """
    found = [
        *_outdated(full, outdated),
        *_sight(full, Evidence.BLIND, IssueKind.BLIND),
        *_causes(full),
        *_gates(full),
        *_sight(full, Evidence.PARTIAL, IssueKind.PARTIAL),
        *_untold(full),
    ]
    return tuple(issue.model_copy(update={"rank": n}) for n, issue in enumerate(found, start=1))


def _issue(full: FullStatus, kind: IssueKind, subject: str, summary: str, **more: object) -> Issue:
    since = more.pop("since", None)
    assert since is None or isinstance(since, Instant)
    said: dict[str, object] = {
        "rank": 0, "kind": kind, "cluster": full.cluster, "status": full.status,
        "subject": subject, "summary": summary, "since": since,
        "since_ms": None if since is None else ms(since.timestamp()), "score": None, "signal": "",
        "value": None, "threshold": None, "unit": "", "evidence": (), "action": "", "runbook": "",
    }  # fmt: skip
    return Issue.model_validate({**said, **more})


def _outdated(full: FullStatus, why: str) -> Iterator[Issue]:
    if why:
        yield _issue(full, IssueKind.OUTDATED, "evidence", why, since=full.at)


def _sight(full: FullStatus, evidence: Evidence, kind: IssueKind) -> Iterator[Issue]:
    if full.evidence is not evidence:
        return
    named = [f"{m.signal} ({m.reason})" for m in full.missing[:SIGNALS_NAMED]]
    rest = len(full.missing) - len(named)
    more = [f"{rest} more"] if rest > 0 else []
    held = f"; {full.status} is held" if evidence is Evidence.BLIND else ""
    yield _issue(
        full,
        kind,
        "evidence",
        f"missing: {', '.join([*named, *more]) or 'what the rules need'}{held}",
        since=full.evidence_since,
        signal=full.missing[0].signal if full.missing else "",
    )


def _causes(full: FullStatus) -> Iterator[Issue]:
    for cause in sorted(full.causes, key=lambda c: (not c.now, c.rank)):
        seen = "" if cause.now else "; not seen any more"
        yield _issue(
            full,
            IssueKind.CAUSE,
            cause.cause,
            f"{cause.says or cause.cause}{seen}",
            since=cause.since,
            score=cause.score,
            signal=cause.evidence[0].signal if cause.evidence else "",
            evidence=tuple(sign.text for sign in cause.evidence),
            action=cause.action,
            runbook=cause.runbook,
        )


def _gates(full: FullStatus) -> Iterator[Issue]:
    turned = {g.id: g for g in full.last_transition.gates} if full.last_transition else {}
    read = {r.signal: r for r in full.readings}
    for id_ in sorted(full.fired, key=lambda g: (_GATE_RANK.get(g, len(GATES)), g)):
        gate, found = _GATE.get(id_), turned.get(id_)
        signal = gate.main.quantity if gate else found.signal if found else ""
        reading = read.get(signal)
        yield _issue(
            full,
            IssueKind.GATE,
            id_,
            gate.meaning if gate else "",
            status=gate.severity if gate else full.status,
            signal=signal,
            value=reading.value if reading else _value(found),
            threshold=found.threshold if found else None,
            unit=reading.unit if reading else found.unit if found else "",
        )


def _value(found: GateFinding | None) -> float | None:
    """What a gate compared when the status changed: a quantity that is no signal has no newer
    reading in an answer."""
    return found.value if found else None


def _untold(full: FullStatus) -> Iterator[Issue]:
    for cannot in full.cannot_tell:
        yield _issue(full, IssueKind.UNTOLD, cannot.cause, cannot.text, signal=cannot.signal)
