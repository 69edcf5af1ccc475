"""The full status: all that is believed of a cluster at one slot, and why.

It stands on four events: the last sample with its verdict, the last transition, the last change of
sight, and the last ranking of causes. The view `status` composes it for now, `as_of` for any past
instant, from the same four events: so now and then look alike by construction.
"""

from __future__ import annotations

from pydantic import Field

from copilot_core.bottleneck import ADVICE, WorkerRule
from copilot_core.events import (
    Band,
    CausesRanked,
    Evidence,
    GateFinding,
    HealthTransitioned,
    SampleRecorded,
    SightLost,
    SightRegained,
    Status,
)
from copilot_core.readings import MISSING_OF, Missing
from copilot_core.signals import BY_NAME, SIGNAL_LISTS, Group
from copilot_projections.rankings import CauseLine, UntoldCause, cause_lines, untold
from copilot_projections.shape import Answer, At, at, ms


class SignalReading(Answer):
    """What one deciding signal read: a value in its unit, or the reason why there is none."""

    signal: str
    id: str
    group: Group
    unit: str
    value: float | None
    missing: Missing | None


class MissingSignal(Answer):
    """A signal that the rules lack, and why."""

    signal: str
    reason: Missing


class ServiceLine(Answer):
    """Forward progress of one service and the pressure on it, as of the last verdict."""

    service: str
    progress: str
    pressure: str


class TrendLine(Answer):
    """A signal that improves or worsens over the window; one that is stable has no line."""

    signal: str
    direction: str


class AdviceLine(Answer):
    """A rule about scaling workers that applies now, and what it says."""

    rule: WorkerRule
    text: str


class Transition(Answer):
    """The change of status that still holds, with its reasons."""

    at: At
    at_ms: int
    from_: Status = Field(alias="from")
    to: Status
    gates: tuple[GateFinding, ...]
    evidence: Evidence
    band: Band
    counterfactual: str
    summary: str
    rules_digest: str


class SightChange(Answer):
    """The last time more, or less, could be seen than before."""

    at: At
    at_ms: int
    was: Evidence
    evidence: Evidence
    reason: str


class FullStatus(Answer):
    """All that is believed of a cluster at one slot: what, since when, how sure, and why.

    `at` is the slot of the last sample folded. `worst` is what the unseen could have made of the
    status. `causes` explain what is wrong, likeliest first, and decide nothing. `shard` and
    `position` name the last event that this answer stands on.
    """

    cluster: str
    at: At
    at_ms: int
    interval_s: int
    source: str
    status: Status
    since: At
    since_ms: int
    evidence: Evidence
    evidence_since: At
    evidence_since_ms: int
    worst: Status
    band: Band
    bottleneck: str
    fired: tuple[str, ...]
    missing: tuple[MissingSignal, ...]
    services: tuple[ServiceLine, ...]
    trends: tuple[TrendLine, ...]
    advice: tuple[AdviceLine, ...]
    readings: tuple[SignalReading, ...]
    last_transition: Transition | None
    last_sight_change: SightChange | None
    causes: tuple[CauseLine, ...]
    cannot_tell: tuple[UntoldCause, ...]
    rules_digest: str
    shard: int
    position: int


def _readings(sample: SampleRecorded) -> tuple[SignalReading, ...]:
    out = []
    for name, packed in zip(SIGNAL_LISTS[sample.signals], sample.readings, strict=True):
        signal = BY_NAME.get(name)
        if signal is None or not signal.decides:
            continue
        missing = MISSING_OF[packed] if isinstance(packed, str) else None
        value = None if isinstance(packed, str) else packed
        out.append(
            SignalReading(
                signal=name,
                id=signal.id,
                group=signal.group,
                unit=signal.unit,
                value=value,
                missing=missing,
            )
        )
    return tuple(out)


def _transition(event: HealthTransitioned) -> Transition:
    return Transition(
        at=at(event.slot),
        at_ms=ms(event.slot),
        from_=event.from_,
        to=event.to,
        gates=event.gates,
        evidence=event.evidence,
        band=event.band,
        counterfactual=event.counterfactual,
        summary=event.summary,
        rules_digest=event.rules_digest,
    )


def _sight_change(event: SightLost | SightRegained) -> SightChange:
    return SightChange(
        at=at(event.slot),
        at_ms=ms(event.slot),
        was=event.was,
        evidence=event.evidence,
        reason=event.reason,
    )


def compose(
    sample: SampleRecorded,
    transition: HealthTransitioned | None,
    sight: SightLost | SightRegained | None,
    ranked: CausesRanked | None,
    *,
    cluster: str,
    first_slot: int,
    shard: int,
    position: int,
) -> FullStatus:
    """The full status from the four events it stands on.

    `first_slot` is when the cluster was first heard of: the status holds since then when no
    transition is on record.
    """
    verdict = sample.verdict
    names = SIGNAL_LISTS[sample.signals]
    codes = dict(zip(names, sample.readings, strict=True))
    missing = tuple(
        MissingSignal(signal=name, reason=MISSING_OF[code])
        for name in verdict.missing
        if isinstance(code := codes.get(name), str)
    )
    since = transition.slot if transition else first_slot
    evidence_since = sight.slot if sight else first_slot
    return FullStatus(
        cluster=cluster,
        at=at(sample.slot),
        at_ms=ms(sample.slot),
        interval_s=sample.interval_s,
        source=sample.source,
        status=verdict.status,
        since=at(since),
        since_ms=ms(since),
        evidence=verdict.evidence,
        evidence_since=at(evidence_since),
        evidence_since_ms=ms(evidence_since),
        worst=verdict.worst,
        band=verdict.band,
        bottleneck=verdict.bottleneck,
        fired=verdict.fired,
        missing=missing,
        services=tuple(
            ServiceLine(service=s, progress=p, pressure=q)
            for s, (p, q) in sorted(verdict.services.items())
        ),
        trends=tuple(
            TrendLine(signal=name, direction=direction)
            for name, direction in sorted(verdict.trends.items())
        ),
        advice=tuple(
            AdviceLine(rule=rule, text=ADVICE[rule]) for rule in map(WorkerRule, verdict.advice)
        ),
        readings=_readings(sample),
        last_transition=_transition(transition) if transition else None,
        last_sight_change=_sight_change(sight) if sight else None,
        causes=cause_lines(ranked.causes) if ranked else (),
        cannot_tell=untold(ranked.cannot_tell) if ranked else (),
        rules_digest=verdict.rules_digest,
        shard=shard,
        position=position,
    )
