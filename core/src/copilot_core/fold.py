"""The fold: one message in, the next state and the events it decides out. The only place that decides.

Theory of operation.

    decide   state, message, rules -> events     what is recorded
    evolve   state, event -> state               what the log alone gives back
    fold     = decide, then evolve over its events

`SampleRecorded` carries the verdict, so `evolve` needs no rules: the state of a cluster is the fold of
its log even when the rules have changed since. Re-deciding the recorded samples with the same rules
gives the same bytes (law L1).

Slots. The next slot is decided at once. A sample further ahead waits in `held` while one slot is
missing; the sample of the missing slot releases it, a still later one closes the gap: what is missing
is decided as all-missing, `source` "filled". A sample of a closed slot is a duplicate when the slot
had been seen and late when it had been filled; a late one is recorded as dropped. `held` is no part
of the log: it travels as the carry of the shard's head.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final, assert_never

import orjson

from copilot_core import bottleneck as limits
from copilot_core import logs, services
from copilot_core.errors import Defect, Rejected
from copilot_core.events import (
    Band, BandChanged, BottleneckChanged, Causation, DeploymentRecorded, Event, Evidence, HealthTransitioned,
    LogPatternSurged, LogSampleRecorded, NewEvent, RecordedEvent, SampleDropped, SampleRecorded,
    ServiceHealthChanged, SightLost, SightRegained, Status, Verdict, new_event,
)  # fmt: skip
from copilot_core.health import (
    Evaluation, Machine, Scaling, applies, counterfactual, evaluate, evidence, finding, nearest, next_band, next_bands,
    rank, step_both,
)  # fmt: skip
from copilot_core.quantities import WINDOW_SLOTS, Range, Sight, missing_needs, survey, understated_roles, without_silent_roles
from copilot_core.readings import CODE_OF, MISSING_OF, Missing, Reading
from copilot_core.rules import RulePack
from copilot_core.samples import DeploymentFact, Input, LogSample, Sample, all_missing, decode, encode, pack
from copilot_core.signals import INDEX, PULSE_OF, SERVER_ROLES, SIGNAL_LIST, SIGNAL_LISTS, SIGNAL_NAMES, Role

MAX_FILLED_SLOTS: Final = WINDOW_SLOTS
"""A longer gap is filled this far and then jumped: by then every mean and run stands still."""

FILLED: Final = "filled"
"""`source` of a slot that a later sample closed as all-missing."""

_UNSEEN_SOURCES: Final = (FILLED, "watchdog")
_WORKER_WITNESSES: Final = ("worker_processes", "steps_seen_by_workers_per_s")


class Outcome(StrEnum):
    """What became of a message."""

    FOLDED = "folded"
    HELD = "held"
    DUPLICATE = "duplicate"
    LATE = "late"


@dataclass(frozen=True, slots=True)
class ClusterState:
    """Everything the next decision about one cluster needs.

    `window` holds the readings of at most `WINDOW_SLOTS` past slots, oldest first, silent roles taken
    out. `recent` maps each of the last slots to whether it had been seen. `last_slot` and
    `last_log_slot` are 0 before the first. The versions are those of the last event of each stream.
    """

    cluster: str
    health_version: int = 0
    logs_version: int = 0
    last_slot: int = 0
    interval_s: int = 0
    last_log_slot: int = 0
    seen: Machine = Machine()
    worst: Machine = Machine()
    band: Band = Band.STARTER
    bands: tuple[Band, Band] = (Band.STARTER, Band.HIGH)
    evidence: Evidence = Evidence.BLIND
    gate_runs: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    services: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    bottleneck: str = limits.Bottleneck.UNKNOWN
    scaling: Scaling = Scaling()
    window: tuple[tuple[Reading, ...], ...] = ()
    recent: tuple[tuple[int, bool], ...] = ()
    workers_seen: tuple[str, ...] = ()
    usual_logs: Mapping[str, tuple[float, int]] = field(default_factory=dict)
    held: Sample | None = None

    def snapshot(self) -> bytes:
        """The state as canonical JSON, without `held`: what the log knows."""
        return orjson.dumps(
            {
                "v": 1, "cluster": self.cluster, "health_version": self.health_version, "logs_version": self.logs_version,
                "last_slot": self.last_slot, "interval_s": self.interval_s, "last_log_slot": self.last_log_slot,
                "seen": _machine_row(self.seen), "worst": _machine_row(self.worst), "band": self.band,
                "bands": self.bands, "evidence": self.evidence, "gate_runs": self.gate_runs, "services": self.services,
                "bottleneck": self.bottleneck,
                "scaling": [self.scaling.history_replicas, self.scaling.scaling_up_evaluations],
                "signals": SIGNAL_LIST, "window": [pack(slot) for slot in self.window], "recent": self.recent,
                "workers_seen": self.workers_seen, "usual_logs": self.usual_logs,
            },
            option=orjson.OPT_SORT_KEYS,
        )  # fmt: skip

    @classmethod
    def restore(cls, payload: bytes | str) -> ClusterState:
        """Read a snapshot; raises `Rejected` (code `bad_snapshot`) for one of another version."""
        try:
            raw = orjson.loads(payload)
            if raw["v"] != 1 or raw["signals"] not in SIGNAL_LISTS:
                raise Rejected(f"snapshot version {raw['v']}, signal list {raw['signals']}", code="bad_snapshot", todo="delete it; the log gives the state back")
            return cls(
                cluster=raw["cluster"], health_version=raw["health_version"], logs_version=raw["logs_version"],
                last_slot=raw["last_slot"], interval_s=raw["interval_s"], last_log_slot=raw["last_log_slot"],
                seen=_machine_of(raw["seen"]), worst=_machine_of(raw["worst"]), band=Band(raw["band"]),
                bands=(Band(raw["bands"][0]), Band(raw["bands"][1])), evidence=Evidence(raw["evidence"]),
                gate_runs={k: (v[0], v[1]) for k, v in raw["gate_runs"].items()},
                services={k: (v[0], v[1]) for k, v in raw["services"].items()}, bottleneck=raw["bottleneck"],
                scaling=Scaling(*raw["scaling"]),
                window=tuple(_unpack(slot, raw["signals"]) for slot in raw["window"]),
                recent=tuple((s, b) for s, b in raw["recent"]), workers_seen=tuple(raw["workers_seen"]),
                usual_logs={k: (v[0], v[1]) for k, v in raw["usual_logs"].items()},
            )  # fmt: skip
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, IndexError) as e:
            raise Rejected(f"snapshot does not decode: {e!r}", code="bad_snapshot", todo="delete it; the log gives the state back") from e


def initial(cluster: str) -> ClusterState:
    """The state of a cluster nobody has heard of."""
    return ClusterState(cluster)


def _machine_row(machine: Machine) -> list[object]:
    return [machine.status, machine.critical_run, machine.good_run, machine.was_critical]


def _machine_of(row: list) -> Machine:
    return Machine(Status(row[0]), row[1], row[2], row[3])


def _unpack(values: Iterable[float | str], signals: int) -> tuple[Reading, ...]:
    """Compact readings of any known list, in the order of the present one."""
    known: list[Reading] = [MISSING_OF[v] if isinstance(v, str) else float(v) for v in values]
    names = SIGNAL_LISTS[signals]
    if names is SIGNAL_NAMES:
        return tuple(known)
    by_name = dict(zip(names, known, strict=True))
    return tuple(by_name.get(name, Missing.NO_SOURCE) for name in SIGNAL_NAMES)


# --- evolve: what an event does to the state ----------------------------------------------------


def evolve(state: ClusterState, event: NewEvent | RecordedEvent) -> ClusterState:
    """The state after one event of this cluster's streams, in version order.

    Raises `Defect` when a version is skipped or repeated, `Rejected` when the event does not decode.
    """
    kind = event.stream.partition("/")[0]
    version = state.health_version if kind == "health" else state.logs_version
    if event.version != version + 1:
        raise Defect(f"{event.stream}: version {event.version} after {version}", todo="run copilot log verify")
    return _evolved(state, event.decoded())


def _evolved(state: ClusterState, event: Event) -> ClusterState:
    match event:
        case SampleRecorded():
            return _after_sample(state, event)
        case DeploymentRecorded():
            scaling = Scaling(event.history_replicas, event.scaling_up_evaluations)
            return replace(state, health_version=state.health_version + 1, scaling=scaling)
        case SampleDropped():
            recent = tuple((slot, seen or slot == event.slot) for slot, seen in state.recent)
            return replace(state, health_version=state.health_version + 1, recent=recent)
        case HealthTransitioned() | SightLost() | SightRegained() | BandChanged() | BottleneckChanged() | ServiceHealthChanged():
            return replace(state, health_version=state.health_version + 1)
        case LogSampleRecorded():
            return replace(
                state, logs_version=state.logs_version + 1, last_log_slot=event.slot,
                usual_logs=logs.learn(state.usual_logs, event.counts),
            )  # fmt: skip
        case LogPatternSurged():
            return replace(state, logs_version=state.logs_version + 1)
        case _:
            assert_never(event)


def _after_sample(state: ClusterState, event: SampleRecorded) -> ClusterState:
    readings, _ = without_silent_roles(_unpack(event.readings, event.signals))
    verdict = event.verdict
    recent = (*state.recent, (event.slot, event.source not in _UNSEEN_SOURCES))[-2 * WINDOW_SLOTS :]
    workers = tuple(
        name for name in _WORKER_WITNESSES if name in state.workers_seen or not isinstance(readings[INDEX[name]], Missing)
    )
    return replace(
        state,
        health_version=state.health_version + 1, last_slot=event.slot, interval_s=event.interval_s,
        seen=Machine(verdict.status, verdict.critical_run, verdict.good_run, verdict.was_critical),
        worst=Machine(verdict.worst, verdict.worst_critical_run, verdict.worst_good_run, verdict.worst_was_critical),
        band=verdict.band, bands=verdict.bands, evidence=verdict.evidence, gate_runs=verdict.gate_runs,
        services=verdict.services, bottleneck=verdict.bottleneck,
        window=(*state.window, readings)[-WINDOW_SLOTS:], recent=recent, workers_seen=workers,
    )  # fmt: skip


# --- decide -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Folded:
    """The state after a message, the events it decided, and what became of it."""

    state: ClusterState
    events: tuple[NewEvent, ...]
    outcome: Outcome


def fold(state: ClusterState, message: Input, rules: RulePack, *, causation: Causation | None = None) -> Folded:
    """Fold one message. Pure: the same arguments give the same events, byte for byte.

    Raises `Rejected` (code `lies_about_cluster`) for a message about another cluster.
    """
    if message.cluster != state.cluster:
        raise Rejected(f"message about {message.cluster!r} folded into {state.cluster!r}", code="lies_about_cluster")
    match message:
        case Sample():
            return _fold_sample(state, message, rules, causation)
        case LogSample():
            if message.slot <= state.last_log_slot:
                return Folded(state, (), Outcome.DUPLICATE)
            return _record(state, logs.decide(message, state.usual_logs), causation, Outcome.FOLDED)
        case DeploymentFact():
            now = Scaling(message.history_replicas, message.scaling_up_evaluations)
            if now == state.scaling:
                return Folded(state, (), Outcome.DUPLICATE)
            recorded = DeploymentRecorded(
                at=message.at, history_replicas=message.history_replicas, scaling_up_evaluations=message.scaling_up_evaluations
            )
            return _record(state, (recorded,), causation, Outcome.FOLDED)
        case _:
            assert_never(message)


def _record(state: ClusterState, events: Iterable[Event], causation: Causation | None, outcome: Outcome) -> Folded:
    recorded: list[NewEvent] = []
    for event in events:
        version = (state.health_version if event.stream_kind == "health" else state.logs_version) + 1
        recorded.append(new_event(event, cluster=state.cluster, version=version, causation=causation))
        state = _evolved(state, event)
    return Folded(state, tuple(recorded), outcome)


def _fold_sample(state: ClusterState, sample: Sample, rules: RulePack, causation: Causation | None) -> Folded:
    expected = state.last_slot + sample.interval_s
    if sample.slot <= state.last_slot:
        return _fold_closed_slot(state, sample, causation)
    if state.held is not None and sample.slot == state.held.slot:
        return Folded(state, (), Outcome.DUPLICATE)
    if state.last_slot == 0 or sample.interval_s != state.interval_s or sample.slot == expected:
        ready = [sample] if state.held is None else sorted([sample, state.held], key=lambda s: s.slot)
    elif state.held is None:
        if sample.slot == expected + sample.interval_s:
            return Folded(replace(state, held=sample), (), Outcome.HELD)
        ready = [sample]
    else:
        ready = sorted([sample, state.held], key=lambda s: s.slot)
    state = replace(state, held=None)
    events: list[NewEvent] = []
    for current in ready:
        for slot_sample in (*_filling(state, current), current):
            folded = _record(state, _decided(state, slot_sample, rules), causation, Outcome.FOLDED)
            state = folded.state
            events.extend(folded.events)
    return Folded(state, tuple(events), Outcome.FOLDED)


def _fold_closed_slot(state: ClusterState, sample: Sample, causation: Causation | None) -> Folded:
    seen = dict(state.recent).get(sample.slot)
    if seen is not False or sample.source == "watchdog":
        return Folded(state, (), Outcome.DUPLICATE)
    dropped = SampleDropped(slot=sample.slot, source=sample.source, reason="arrived after its slot was closed as unseen")
    return _record(state, (dropped,), causation, Outcome.LATE)


def _filling(state: ClusterState, sample: Sample) -> Iterator[Sample]:
    """All-missing samples for the slots between the last decided one and `sample`."""
    if state.last_slot == 0 or sample.interval_s != state.interval_s:
        return
    first = state.last_slot + sample.interval_s
    for slot in range(first, min(sample.slot, first + MAX_FILLED_SLOTS * sample.interval_s), sample.interval_s):
        yield all_missing(Missing.NO_SAMPLE, cluster=sample.cluster, slot=slot, interval_s=sample.interval_s, source=FILLED)


@dataclass(frozen=True, slots=True)
class _Slot:
    """One slot while it is being decided."""

    sample: Sample
    sight: Sight
    quantities: Mapping[str, Range]
    evaluation: Evaluation
    missing: dict[str, Missing]
    reason: str
    band: Band
    full_sight: bool
    blind: bool


def _look(state: ClusterState, sample: Sample, rules: RulePack) -> _Slot:
    readings, silent = without_silent_roles(_unpack_now(sample))
    sight = Sight(readings, state.window, silent)
    quantities = survey(sight)
    rate = sight.known("transitions_per_s")
    band = state.band if rate is None else next_band(state.band, rate)
    recovering = Status.CRITICAL in (state.seen.status, state.worst.status)
    evaluation = evaluate(
        rules, quantities, band=band, bands=next_bands(state.bands, rate), scaling=state.scaling,
        gate_runs=state.gate_runs, recovering=recovering,
    )  # fmt: skip
    needs = missing_needs(sight)
    lost_workers = {n: r for n in state.workers_seen if isinstance(r := sight[n], Missing) and r is not Missing.NO_SOURCE}
    short = understated_roles(sight)
    blind = all(isinstance(sight[PULSE_OF[role]], Missing) for role in SERVER_ROLES)
    return _Slot(
        sample, sight, quantities, evaluation, needs | lost_workers, _sight_reason(silent, needs, lost_workers, short, blind),
        band, full_sight=not needs, blind=blind,
    )  # fmt: skip


def _unpack_now(sample: Sample) -> tuple[Reading, ...]:
    if sample.signals == SIGNAL_LIST:
        return sample.readings
    return tuple(sample[name] for name in SIGNAL_NAMES)


def _sight_reason(silent: tuple[Role, ...], needs: Mapping[str, Missing], workers: Mapping[str, Missing], short: list[Role], blind: bool) -> str:
    """What is wrong with the sight of this slot, in words; empty when nothing is."""
    parts: list[str] = []
    if blind:
        parts.append("no server role reports")
    else:
        parts += [f"{role} does not report" for role in silent]
        others = sorted(name for name, why in needs.items() if why is not Missing.ROLE_SILENT and name not in PULSE_OF.values())
        if others:
            parts.append(f"{len(others)} signal(s) missing: {', '.join(others[:3])}{' …' if len(others) > 3 else ''}")
        parts += [f"fewer {role} processes report than before: sums are too low" for role in short]
    if workers and not blind:
        parts.append("workers do not report")
    return "; ".join(parts)


def _decided(state: ClusterState, sample: Sample, rules: RulePack) -> Iterator[Event]:
    """Everything one slot decides: the recorded sample first, then what changed."""
    slot = _look(state, sample, rules)
    seen, worst = step_both(state.seen, state.worst, slot.evaluation, full_sight=slot.full_sight, rules=rules)
    now = evidence(blind=slot.blind, lacking=bool(slot.reason), seen=seen, worst=worst)
    fired = slot.evaluation.fired
    health = services.assess(rules, slot.quantities, slot.sight, fired, band=slot.band, scaling=state.scaling)
    limit = limits.judge(rules, slot.sight, fired, blind=slot.blind)
    yield SampleRecorded(
        slot=sample.slot, interval_s=sample.interval_s, source=sample.source, signals=SIGNAL_LIST,
        readings=[CODE_OF[r] if isinstance(r, Missing) else r for r in _unpack_now(sample)],
        verdict=Verdict(
            status=seen.status, evidence=now, band=slot.band, worst=worst.status, bands=next_bands(state.bands, slot.sight.known("transitions_per_s")),
            critical_run=seen.critical_run, worst_critical_run=worst.critical_run, good_run=seen.good_run,
            worst_good_run=worst.good_run, was_critical=seen.was_critical, worst_was_critical=worst.was_critical,
            gate_runs=slot.evaluation.gate_runs, fired=fired, missing=tuple(sorted(slot.missing)),
            services={h.service: (h.progress, h.pressure) for h in health}, bottleneck=limit.bottleneck, rules_digest=rules.digest,
        ),
    )  # fmt: skip
    yield from _band_events(state, slot)
    yield from _sight_events(state, slot, seen, now)
    if seen.status is not state.seen.status:
        yield _transition(state, slot, seen, now, rules)
    yield from _service_events(state, slot, health)
    if limit.bottleneck != state.bottleneck:
        yield BottleneckChanged(slot=sample.slot, from_=state.bottleneck, to=limit.bottleneck, reasons=limit.reasons)


def _band_events(state: ClusterState, slot: _Slot) -> Iterator[Event]:
    rate = slot.sight.known("transitions_per_s")
    if slot.band is not state.band and rate is not None:
        yield BandChanged(slot=slot.sample.slot, from_=state.band, to=slot.band, transitions_per_s=rate)


_SIGHT = {Evidence.FRESH: 0, Evidence.PARTIAL: 1, Evidence.BLIND: 2}


def _sight_events(state: ClusterState, slot: _Slot, seen: Machine, now: Evidence) -> Iterator[Event]:
    if now is state.evidence and state.last_slot:
        return
    event = SightLost if _SIGHT[now] > _SIGHT[state.evidence] or not state.last_slot and now is not Evidence.FRESH else SightRegained
    reason = slot.reason or (
        "all needed signals are seen" if now is Evidence.FRESH else "seen again, but what was not seen before may still matter"
    )
    yield event(
        slot=slot.sample.slot, was=state.evidence, evidence=now, status=seen.status, missing=slot.missing, reason=reason
    )


def _transition(state: ClusterState, slot: _Slot, seen: Machine, now: Evidence, rules: RulePack) -> HealthTransitioned:
    former = state.seen.status
    worse = rank(seen.status) > max(rank(former), 0)
    gates = _reasons(state, slot, seen.status, rules, worse=worse)
    return HealthTransitioned(
        slot=slot.sample.slot, from_=former, to=seen.status, gates=gates, evidence=now, band=slot.band,
        counterfactual=counterfactual(former, gates, worse=worse), summary=_summary(former, seen.status, gates, rules, worse=worse),
        rules_digest=rules.digest,
    )  # fmt: skip


def _reasons(state: ClusterState, slot: _Slot, to: Status, rules: RulePack, *, worse: bool) -> tuple:
    """The gates behind a transition: those that fired when it got worse, the nearest clear ones when better."""
    if worse:
        fired = [g for g in rules.gates if g.id in slot.evaluation.fired and (to is not Status.CRITICAL or g.severity is to)]
        found = [finding(g, slot.band, slot.quantities, scaling=state.scaling) for g in fired]
        return tuple(f for f in found if f is not None)
    leaving = state.seen.status is Status.CRITICAL
    clear = [g for g in rules.gates if not leaving or g.severity is Status.CRITICAL]
    found = [
        finding(g, slot.band, slot.quantities, scaling=state.scaling, recovering=leaving)
        for g in [g for g in clear if applies(g, slot.band, slot.quantities)] or clear
    ]
    return nearest(f for f in found if f is not None and f.threshold != 0.0)


def _summary(former: Status, to: Status, gates: tuple, rules: RulePack, *, worse: bool) -> str:
    if not worse:
        return "nothing the rules look for is wrong" if to is Status.HAPPY else "no longer critical, with the margin that leaving needs"
    return "; ".join(dict.fromkeys(rules.gate(g.id).meaning for g in gates)) or f"{former} to {to}"


def _service_events(state: ClusterState, slot: _Slot, health: tuple[services.ServiceHealth, ...]) -> Iterator[Event]:
    for h in health:
        if state.services.get(h.service) != (h.progress, h.pressure):
            yield ServiceHealthChanged(
                slot=slot.sample.slot, service=h.service, progress=h.progress, pressure=h.pressure,
                dominant_signal=h.dominant_signal, artifacts=h.artifacts, evidence=h.evidence,
            )  # fmt: skip


# --- what a shard's head carries ----------------------------------------------------------------


def carry_of(states: Mapping[str, ClusterState]) -> bytes:
    """All held samples of a shard, for the carry of its head; empty when none is held."""
    held = [encode(state.held).decode() for _, state in sorted(states.items()) if state.held is not None]
    return orjson.dumps(held) if held else b""


def restore_held(carry: bytes) -> dict[str, Sample]:
    """Held samples by cluster, from a head's carry; raises `Rejected` when it does not decode."""
    samples = [decode(text.encode()) for text in orjson.loads(carry)] if carry else []
    return {s.cluster: s for s in samples if isinstance(s, Sample)}
