"""The state of one cluster, and what an event does to it.

`SampleRecorded` carries the verdict on its slot, so `evolve` needs no rules: the state is the fold
of the log even when the rules have changed since. A snapshot is the state after some event; it is
never needed for truth, only for speed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, assert_never

import orjson

from copilot_core import bottleneck as limits
from copilot_core import logs
from copilot_core.errors import Defect, Rejected
from copilot_core.events import (
    Band,
    BandChanged,
    BottleneckChanged,
    CausesRanked,
    CauseTracks,
    ConfigChanged,
    DeploymentRecorded,
    Event,
    Evidence,
    HealthTransitioned,
    IncidentReviewed,
    LogPatternSurged,
    LogSampleRecorded,
    ModelCallReserved,
    ModelCallSettled,
    NewEvent,
    RecordedEvent,
    SampleDropped,
    SampleRecorded,
    ServiceHealthChanged,
    SightLost,
    SightRegained,
    StateAssessed,
    Status,
    TransitionExplained,
)
from copilot_core.gates import UNSCALED, Scaling
from copilot_core.health import UNSTARTED, Machine
from copilot_core.quantities import WINDOW_SLOTS, without_silent_roles
from copilot_core.readings import Missing, Reading
from copilot_core.samples import Sample, pack, unpack
from copilot_core.signals import INDEX, SIGNAL_LIST, SIGNAL_LISTS

FILLED: Final = "filled"
"""`source` of a slot that a later sample closed as all-missing."""

WATCHDOG: Final = "watchdog"
"""`source` of the all-missing sample that stands for silence."""

FOLDED_KINDS: Final = frozenset({"health", "logs"})
"""Kinds of streams that the fold writes and the state is folded from. The others are facts that
somebody else wrote down: they change no state, and folding inputs again does not find them."""

SNAPSHOT_VERSION: Final = 2
"""2: with what was suspected, and the last log counts. An older snapshot is made anew."""

RECENT_LOGS: Final = 4
"""Log samples that a sign may look at: those of about the last two minutes."""

_UNSEEN_SOURCES: Final = (FILLED, WATCHDOG)
_WORKER_WITNESSES: Final = ("worker_processes", "steps_seen_by_workers_per_s")


@dataclass(frozen=True, slots=True)
class ClusterState:
    """Everything the next decision about one cluster needs.

    `window` holds the readings of at most `WINDOW_SLOTS` past slots, oldest first, silent roles
    taken out. `recent` maps each of the last slots to whether it had been seen. `last_slot` and
    `last_log_slot` are 0 before the first. `ranking` is the last ranking of causes,
    `recent_logs` the counts of the last log samples, None where the log backend was not read. The
    versions are those of the last event of each stream.
    """

    cluster: str
    health_version: int = 0
    logs_version: int = 0
    last_slot: int = 0
    interval_s: int = 0
    last_log_slot: int = 0
    seen: Machine = UNSTARTED
    worst: Machine = UNSTARTED
    band: Band = Band.STARTER
    bands: tuple[Band, Band] = (Band.STARTER, Band.HIGH)
    evidence: Evidence = Evidence.BLIND
    gate_runs: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    services: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    bottleneck: str = limits.Bottleneck.UNKNOWN
    scaling: Scaling = UNSCALED
    causes: CauseTracks = field(default_factory=CauseTracks)
    ranking: CausesRanked | None = None
    window: tuple[tuple[Reading, ...], ...] = ()
    recent: tuple[tuple[int, bool], ...] = ()
    workers_seen: tuple[str, ...] = ()
    usual_logs: Mapping[str, tuple[float, int]] = field(default_factory=dict)
    recent_logs: tuple[tuple[int, Mapping[str, int] | None], ...] = ()
    held: Sample | None = None

    def snapshot(self) -> bytes:
        """The state as canonical JSON, without `held`: what the log knows."""
        return orjson.dumps(
            {
                "v": SNAPSHOT_VERSION,
                "cluster": self.cluster,
                "health_version": self.health_version,
                "logs_version": self.logs_version,
                "last_slot": self.last_slot,
                "interval_s": self.interval_s,
                "last_log_slot": self.last_log_slot,
                "seen": _machine_row(self.seen),
                "worst": _machine_row(self.worst),
                "band": self.band,
                "bands": self.bands,
                "evidence": self.evidence,
                "gate_runs": self.gate_runs,
                "services": self.services,
                "bottleneck": self.bottleneck,
                "scaling": [self.scaling.history_replicas, self.scaling.scaling_up_evaluations],
                "causes": self.causes.model_dump(),
                "ranking": self.ranking and self.ranking.model_dump(mode="json"),
                "recent_logs": self.recent_logs,
                "signals": SIGNAL_LIST,
                "window": [pack(slot) for slot in self.window],
                "recent": self.recent,
                "workers_seen": self.workers_seen,
                "usual_logs": self.usual_logs,
            },
            option=orjson.OPT_SORT_KEYS,
        )

    @classmethod
    def restore(cls, payload: bytes | str) -> ClusterState:
        """Read a snapshot; raises `Rejected` (code `bad_snapshot`) for one of another version."""
        try:
            raw = orjson.loads(payload)
            if raw["v"] != SNAPSHOT_VERSION or raw["signals"] not in SIGNAL_LISTS:
                raise Rejected(
                    f"snapshot version {raw['v']}, signal list {raw['signals']}",
                    code="bad_snapshot",
                    todo="delete it; the log gives the state back",
                )
            return cls(
                cluster=raw["cluster"],
                health_version=raw["health_version"],
                logs_version=raw["logs_version"],
                last_slot=raw["last_slot"],
                interval_s=raw["interval_s"],
                last_log_slot=raw["last_log_slot"],
                seen=_machine_of(raw["seen"]),
                worst=_machine_of(raw["worst"]),
                band=Band(raw["band"]),
                bands=(Band(raw["bands"][0]), Band(raw["bands"][1])),
                evidence=Evidence(raw["evidence"]),
                gate_runs={k: (v[0], v[1]) for k, v in raw["gate_runs"].items()},
                services={k: (v[0], v[1]) for k, v in raw["services"].items()},
                bottleneck=raw["bottleneck"],
                scaling=Scaling(*raw["scaling"]),
                causes=CauseTracks.model_validate(raw["causes"]),
                ranking=raw["ranking"] and CausesRanked.model_validate(raw["ranking"]),
                recent_logs=tuple((slot, counts) for slot, counts in raw["recent_logs"]),
                window=tuple(unpack(slot, raw["signals"]) for slot in raw["window"]),
                recent=tuple((s, b) for s, b in raw["recent"]),
                workers_seen=tuple(raw["workers_seen"]),
                usual_logs={k: (v[0], v[1]) for k, v in raw["usual_logs"].items()},
            )
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, IndexError) as e:
            raise Rejected(
                f"snapshot does not decode: {e!r}",
                code="bad_snapshot",
                todo="delete it; the log gives the state back",
            ) from e


def initial(cluster: str) -> ClusterState:
    """The state of a cluster nobody has heard of."""
    return ClusterState(cluster)


def _machine_row(machine: Machine) -> list[object]:
    m = machine
    return [m.status, m.critical_run, m.good_run, m.bad_count, m.was_critical]


def _machine_of(row: list) -> Machine:
    return Machine(Status(row[0]), row[1], row[2], row[3], row[4])


def is_folded(stream: str) -> bool:
    """Whether the fold writes this stream, so that folding its inputs again gives it back."""
    return stream.partition("/")[0] in FOLDED_KINDS


def evolve(state: ClusterState, event: NewEvent | RecordedEvent) -> ClusterState:
    """The state after one event of this cluster's streams, in version order.

    An event of a stream that the fold does not write changes nothing. Raises `Defect` when a
    version is skipped or repeated, `Rejected` when the event does not decode.
    """
    if not is_folded(event.stream):
        return state
    kind = event.stream.partition("/")[0]
    version = state.health_version if kind == "health" else state.logs_version
    if event.version != version + 1:
        raise Defect(
            f"{event.stream}: version {event.version} after {version}",
            todo="run copilot log verify",
        )
    return evolved(state, event.decoded())


def evolved(state: ClusterState, event: Event) -> ClusterState:
    """The state after the next event of one of this cluster's streams, whichever that is."""
    match event:
        case SampleRecorded():
            return _after_sample(state, event)
        case DeploymentRecorded():
            scaling = Scaling(event.history_replicas, event.scaling_up_evaluations)
            return replace(state, health_version=state.health_version + 1, scaling=scaling)
        case SampleDropped():
            recent = tuple((slot, seen or slot == event.slot) for slot, seen in state.recent)
            return replace(state, health_version=state.health_version + 1, recent=recent)
        case (
            HealthTransitioned()
            | SightLost()
            | SightRegained()
            | BandChanged()
            | BottleneckChanged()
            | ServiceHealthChanged()
        ):
            return replace(state, health_version=state.health_version + 1)
        case CausesRanked():
            return replace(state, health_version=state.health_version + 1, ranking=event)
        case LogSampleRecorded():
            return replace(
                state,
                logs_version=state.logs_version + 1,
                last_log_slot=event.slot,
                usual_logs=logs.learn(state.usual_logs, event.counts),
                recent_logs=(
                    *state.recent_logs,
                    (event.slot, None if event.counts is None else logs.flat(event.counts)),
                )[-RECENT_LOGS:],
            )
        case LogPatternSurged():
            return replace(state, logs_version=state.logs_version + 1)
        case (
            ConfigChanged()
            | TransitionExplained()
            | IncidentReviewed()
            | StateAssessed()
            | ModelCallReserved()
            | ModelCallSettled()
        ):
            return state
        case _:
            assert_never(event)


def _after_sample(state: ClusterState, event: SampleRecorded) -> ClusterState:
    readings, _ = without_silent_roles(unpack(event.readings, event.signals))
    verdict = event.verdict
    recent = (*state.recent, (event.slot, event.source not in _UNSEEN_SOURCES))[-2 * WINDOW_SLOTS :]
    workers = tuple(
        name
        for name in _WORKER_WITNESSES
        if name in state.workers_seen or not isinstance(readings[INDEX[name]], Missing)
    )
    return replace(
        state,
        health_version=state.health_version + 1,
        last_slot=event.slot,
        interval_s=event.interval_s,
        seen=Machine(
            verdict.status,
            verdict.critical_run,
            verdict.good_run,
            verdict.bad_count,
            verdict.was_critical,
        ),
        worst=Machine(
            verdict.worst,
            verdict.worst_critical_run,
            verdict.worst_good_run,
            verdict.worst_bad_count,
            verdict.worst_was_critical,
        ),
        band=verdict.band,
        bands=verdict.bands,
        evidence=verdict.evidence,
        gate_runs=verdict.gate_runs,
        services=verdict.services,
        bottleneck=verdict.bottleneck,
        causes=verdict.causes,
        window=(*state.window, readings)[-WINDOW_SLOTS:],
        recent=recent,
        workers_seen=workers,
    )
