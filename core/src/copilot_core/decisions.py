"""The decision about one slot: what is seen, what the rules say of it, which events follow.

Read `decide` first. It looks at the slot (sight, quantities, gates), steps the two machines, and
yields the recorded sample with its verdict, then one event for everything that changed, each with
the reasons it was decided by.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from copilot_core import bottleneck as limits
from copilot_core import diagnosis, services, trends
from copilot_core.events import (
    Band,
    BandChanged,
    BottleneckChanged,
    Event,
    Evidence,
    GateFinding,
    HealthTransitioned,
    SampleRecorded,
    ServiceHealthChanged,
    SightLost,
    SightRegained,
    Status,
    Verdict,
)
from copilot_core.gates import (
    Evaluation,
    applies,
    counterfactual,
    evaluate,
    finding,
    nearest,
    next_band,
    next_bands,
)
from copilot_core.health import Machine, evidence, rank, step_both
from copilot_core.quantities import (
    WINDOW_SLOTS,
    Range,
    Sight,
    missing_needs,
    survey,
    understated_roles,
    without_silent_roles,
)
from copilot_core.readings import Missing, Reading
from copilot_core.rules import RulePack
from copilot_core.samples import Sample, in_present_order, pack
from copilot_core.signals import PULSE_OF, SERVER_ROLES, SIGNAL_LIST, Role
from copilot_core.signs import Scene
from copilot_core.state import RECENT_LOGS, ClusterState


@dataclass(frozen=True, slots=True)
class _Slot:
    """One slot while it is being decided; `readings` are as they came, silent roles included."""

    sample: Sample
    readings: tuple[Reading, ...]
    sight: Sight
    quantities: Mapping[str, Range]
    evaluation: Evaluation
    missing: dict[str, Missing]
    reason: str
    band: Band
    bands: tuple[Band, Band]
    full_sight: bool
    blind: bool


def _look(state: ClusterState, sample: Sample, rules: RulePack) -> _Slot:
    readings = in_present_order(sample.readings, sample.signals)
    heard, silent = without_silent_roles(readings)
    sight = Sight(heard, state.window, silent)
    quantities = survey(sight)
    rate = sight.known("transitions_per_s")
    band = state.band if rate is None else next_band(state.band, rate)
    bands = next_bands(state.bands, rate)
    recovering = Status.CRITICAL in (state.seen.status, state.worst.status)
    evaluation = evaluate(
        rules,
        quantities,
        band=band,
        bands=bands,
        scaling=state.scaling,
        gate_runs=state.gate_runs,
        recovering=recovering,
    )
    needs = missing_needs(sight)
    # Also without a source: a scraper that starts while all workers are gone cannot know their
    # dialect, and takes them for never having been there.
    lost_workers = {n: r for n in state.workers_seen if isinstance(r := sight[n], Missing)}
    short = understated_roles(sight)
    blind = all(isinstance(sight[PULSE_OF[role]], Missing) for role in SERVER_ROLES)
    return _Slot(
        sample,
        readings,
        sight,
        quantities,
        evaluation,
        needs | lost_workers,
        _sight_reason(silent, needs, lost_workers, short, blind),
        band,
        bands,
        full_sight=not needs,
        blind=blind,
    )


def _sight_reason(
    silent: tuple[Role, ...],
    needs: Mapping[str, Missing],
    workers: Mapping[str, Missing],
    short: list[Role],
    blind: bool,
) -> str:
    """What is wrong with the sight of this slot, in words; empty when nothing is."""
    parts: list[str] = []
    if blind:
        parts.append("no server role reports")
    else:
        parts += [f"{role} does not report" for role in silent]
        parts += [
            f"whether {role} reports is not known: {why}"
            for role in SERVER_ROLES
            if role not in silent and (why := needs.get(PULSE_OF[role])) is not None
        ]
        others = sorted(
            name
            for name, why in needs.items()
            if why is not Missing.ROLE_SILENT and name not in PULSE_OF.values()
        )
        if others:
            names = ", ".join(others[:3]) + (" …" if len(others) > 3 else "")
            parts.append(f"{len(others)} signal(s) missing: {names}")
        parts += [f"fewer {role} processes report than before: sums are too low" for role in short]
    if workers and not blind:
        parts.append("workers do not report")
    return "; ".join(parts)


def decide(state: ClusterState, sample: Sample, rules: RulePack) -> Iterator[Event]:
    """Everything one slot decides: the recorded sample first, then what changed."""
    slot = _look(state, sample, rules)
    seen, worst = step_both(
        state.seen, state.worst, slot.evaluation, full_sight=slot.full_sight, rules=rules
    )
    now = evidence(
        blind=slot.blind, lacking=bool(slot.missing or slot.reason), seen=seen, worst=worst
    )
    fired = slot.evaluation.fired
    health = services.assess(
        rules, slot.quantities, slot.sight, fired, band=slot.band, scaling=state.scaling
    )
    limit = limits.judge(rules, slot.sight, fired, blind=slot.blind)
    scene = _scene(state, slot, rules)
    found = diagnosis.diagnose(
        state.causes, scene, status=seen.status, evidence=now, last=state.ranking
    )
    yield SampleRecorded(
        slot=sample.slot,
        interval_s=sample.interval_s,
        source=sample.source,
        signals=SIGNAL_LIST,
        readings=pack(slot.readings),
        verdict=Verdict(
            status=seen.status,
            evidence=now,
            band=slot.band,
            worst=worst.status,
            bands=slot.bands,
            critical_run=seen.critical_run,
            worst_critical_run=worst.critical_run,
            good_run=seen.good_run,
            worst_good_run=worst.good_run,
            bad_count=seen.bad_count,
            worst_bad_count=worst.bad_count,
            was_critical=seen.was_critical,
            worst_was_critical=worst.was_critical,
            gate_runs=slot.evaluation.gate_runs,
            fired=fired,
            missing=tuple(sorted(slot.missing)),
            services={h.service: (h.progress, h.pressure) for h in health},
            bottleneck=limit.bottleneck,
            trends=trends.directions((*state.window, slot.sight.readings)[-WINDOW_SLOTS:]),
            advice=_advice(slot.sight),
            causes=found.tracks,
            rules_digest=rules.digest,
        ),
    )
    yield from _band_events(state, slot)
    yield from _sight_events(state, slot, seen, now)
    if seen.status is not state.seen.status:
        yield _transition(state, slot, seen, now, rules)
    yield from _service_events(state, slot, health)
    if limit.bottleneck != state.bottleneck:
        yield BottleneckChanged(
            slot=sample.slot, from_=state.bottleneck, to=limit.bottleneck, reasons=limit.reasons
        )
    if seen.status is not state.seen.status or diagnosis.differs(found, state.ranking):
        yield diagnosis.ranked(found, scene, status=seen.status, evidence=now)


def _scene(state: ClusterState, slot: _Slot, rules: RulePack) -> Scene:
    at, interval_s = slot.sample.slot, slot.sample.interval_s
    return Scene(
        slot=at,
        interval_s=interval_s,
        sight=slot.sight,
        quantities=slot.quantities,
        fired=slot.evaluation.fired,
        band=slot.band,
        rules=rules,
        logs=tuple(log for log in state.recent_logs if log[0] > at - RECENT_LOGS * interval_s),
    )


def _advice(sight: Sight) -> tuple[str, ...]:
    before = sight.earlier("worker_processes")
    return limits.worker_rules(
        sight,
        workers_before=before[0] if before else None,
        long_running=limits.long_running(sight),
    )


def _band_events(state: ClusterState, slot: _Slot) -> Iterator[Event]:
    rate = slot.sight.known("transitions_per_s")
    if slot.band is not state.band and rate is not None:
        yield BandChanged(
            slot=slot.sample.slot, from_=state.band, to=slot.band, transitions_per_s=rate
        )


_SIGHT: Final = {Evidence.FRESH: 0, Evidence.PARTIAL: 1, Evidence.BLIND: 2}


def _sight_events(
    state: ClusterState, slot: _Slot, seen: Machine, now: Evidence
) -> Iterator[Event]:
    # Before its first sample a cluster is as good as unseen: a blind first slot changes nothing.
    if now is state.evidence:
        return
    event = SightLost if _SIGHT[now] > _SIGHT[state.evidence] else SightRegained
    reason = slot.reason or (
        "all needed signals are seen"
        if now is Evidence.FRESH
        else "seen again, but what was not seen before may still matter"
    )
    yield event(
        slot=slot.sample.slot,
        was=state.evidence,
        evidence=now,
        status=seen.status,
        missing=slot.missing,
        reason=reason,
    )


def _transition(
    state: ClusterState, slot: _Slot, seen: Machine, now: Evidence, rules: RulePack
) -> HealthTransitioned:
    former = state.seen.status
    worse = rank(seen.status) > max(rank(former), 0)
    gates = _reasons(state, slot, seen.status, rules, worse=worse)
    return HealthTransitioned(
        slot=slot.sample.slot,
        from_=former,
        to=seen.status,
        gates=gates,
        evidence=now,
        band=slot.band,
        counterfactual=counterfactual(former, gates, worse=worse),
        summary=_summary(former, seen.status, gates, rules, worse=worse),
        rules_digest=rules.digest,
    )


def _reasons(
    state: ClusterState, slot: _Slot, to: Status, rules: RulePack, *, worse: bool
) -> tuple[GateFinding, ...]:
    """The gates behind a transition: those that fired when it got worse, the nearest clear ones
    when better."""
    if worse:
        fired = [
            g
            for g in rules.gates
            if g.id in slot.evaluation.fired and (to is not Status.CRITICAL or g.severity is to)
        ]
        found = [finding(g, slot.band, slot.quantities, scaling=state.scaling) for g in fired]
        return tuple(f for f in found if f is not None)
    leaving = state.seen.status is Status.CRITICAL
    clear = [g for g in rules.gates if not leaving or g.severity is Status.CRITICAL]
    found = [
        finding(g, slot.band, slot.quantities, scaling=state.scaling, recovering=leaving)
        for g in [g for g in clear if applies(g, slot.band, slot.quantities)] or clear
    ]
    return nearest(f for f in found if f is not None and f.threshold != 0.0)


def _summary(
    former: Status, to: Status, gates: tuple[GateFinding, ...], rules: RulePack, *, worse: bool
) -> str:
    if not worse:
        return (
            "nothing the rules look for is wrong"
            if to is Status.HAPPY
            else "no longer critical, with the margin that leaving needs"
        )
    return "; ".join(dict.fromkeys(rules.gate(g.id).meaning for g in gates)) or f"{former} to {to}"


def _service_events(
    state: ClusterState, slot: _Slot, health: tuple[services.ServiceHealth, ...]
) -> Iterator[Event]:
    for h in health:
        if state.services.get(h.service) != (h.progress, h.pressure):
            yield ServiceHealthChanged(
                slot=slot.sample.slot,
                service=h.service,
                progress=h.progress,
                pressure=h.pressure,
                dominant_signal=h.dominant_signal,
                artifacts=h.artifacts,
                evidence=h.evidence,
            )
