"""Strategies for histories: readings near every threshold, and everything that can hide them.

A history is a list of slots; a slot gives each signal that decides a value from a short list around
the thresholds of the rule tables, so that gates fire and clear within a few slots. A mask takes
readings away in all the ways reality does: single readings, a role's pulse, a whole sample.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hypothesis import strategies as st

from copilot_core.events import NewEvent
from copilot_core.fold import ClusterState, Outcome, fold, initial
from copilot_core.quantities import NEEDED
from copilot_core.readings import Missing, Reading
from copilot_core.rules import RulePack
from copilot_core.samples import Sample, sample_of
from copilot_core.signals import PULSE_OF, SIGNALS, Role

CLUSTER = "orders"
START = 1_795_367_070
INTERVAL_S = 30

HEALTHY: Mapping[str, float] = {
    "frontend_processes": 2,
    "history_processes": 2,
    "matching_processes": 2,
    "worker_processes": 2,
    "starts_attempted_per_s": 2,
    "starts_accepted_per_s": 2,
    "steps_seen_by_frontend_per_s": 8,
    "steps_seen_by_history_per_s": 8,
    "steps_seen_by_workers_per_s": 8,
    "frontend_error_ratio": 0,
    "loaded_partitions": 8,
    "transitions_per_s": 20,
    "transition_p95_ms": 60,
    "transition_p99_ms": 90,
    "mutations_per_s": 20,
    "completions_per_s": 2,
    "closings_per_s": 2,
    "completion_ratio": 1,
    "history_backlog_age_s": 0.2,
    "active_tasks_acked_per_s": 15,
    "history_tasks_acked_per_s": 17,
    "due_tasks_loaded_per_s": 15,
    "due_tasks_acked_per_s": 15,
    "shards_moved_ratio": 0,
    "shards_moved_before_ratio": 0,
    "frontend_errors_per_s": 0,
    "frontend_requests_per_s": 40,
    "frontend_p95_ms": 60,
    "frontend_p99_ms": 90,
    "frontend_short_calls_per_s": 20,
    "workflow_backlog_age_s": 0,
    "activity_backlog_age_s": 0,
    "no_poller_tasks_per_s": 0,
    "persistence_p95_ms": 20,
    "persistence_p99_ms": 60,
    "persistence_errors_per_s": 0,
    "persistence_error_ratio": 0,
    "persistence_requests_per_s": 200,
    "retention_deletes_per_s": 0,
    "cleanup_deletes_per_s": 0,
    "workflow_slots_free": 40,
    "activity_slots_free": 20,
}

NEAR_THRESHOLDS: Mapping[str, tuple[float, ...]] = {
    "starts_accepted_per_s": (0, 0.1, 0.5, 2, 20),
    "starts_attempted_per_s": (0, 2, 14),
    "steps_seen_by_frontend_per_s": (0, 0.2, 0.9, 8),
    "steps_seen_by_history_per_s": (0, 0.2, 0.9, 8),
    "steps_seen_by_workers_per_s": (0, 8),
    "closings_per_s": (0, 0.1, 0.6, 2, 3),
    "completion_ratio": (0, 0.2, 0.4, 0.8, 1),
    "transitions_per_s": (0, 0.4, 0.6, 20, 48, 52, 60, 600),
    "history_tasks_acked_per_s": (0, 0.4, 0.6, 17),
    "due_tasks_loaded_per_s": (0, 15),
    "due_tasks_acked_per_s": (0, 15),
    "history_backlog_age_s": (0.2, 40, 130, 500, 700),
    "workflow_backlog_age_s": (0, 10, 40, 90),
    "activity_backlog_age_s": (0, 10, 40, 90),
    "frontend_errors_per_s": (0, 0.2, 5),
    "frontend_error_ratio": (0, 0.03, 0.2, 0.45, 0.6),
    "persistence_errors_per_s": (0, 0.2, 60),
    "persistence_error_ratio": (0, 0.03, 0.2, 0.45, 0.6),
    "transition_p99_ms": (90, 700, 2500),
    "frontend_p99_ms": (90, 3000, 6000),
    "persistence_p99_ms": (60, 300, 800),
    "no_poller_tasks_per_s": (0, 0.6),
    "shards_moved_ratio": (0, 1),
    "shards_moved_before_ratio": (0, 1),
    "cleanup_deletes_per_s": (0, 12),
    "mutations_per_s": (0, 20),
    "loaded_partitions": (0, 8),
    "frontend_processes": (1, 2),
    "history_processes": (1, 2),
}

LOSSES = (Missing.NO_SERIES, Missing.NOT_A_NUMBER, Missing.SCRAPE_FAILED, Missing.TIMED_OUT)
MASKABLE = (*NEEDED, "steps_seen_by_workers_per_s", "worker_processes")

Slot = dict[str, Reading]


@st.composite
def slots(draw: st.DrawFn) -> Slot:
    """One slot: what differs from healthy, a few signals moved near their thresholds."""
    moved = draw(st.lists(st.sampled_from(sorted(NEAR_THRESHOLDS)), max_size=6, unique=True))
    return {name: float(draw(st.sampled_from(NEAR_THRESHOLDS[name]))) for name in moved}


def whole(slot: Slot) -> Slot:
    """Every signal of a slot: healthy where nothing else is said, no source where nobody reports
    it."""
    return {
        s.name: slot.get(s.name, float(HEALTHY[s.name]) if s.name in HEALTHY else Missing.NO_SOURCE)
        for s in SIGNALS
    }


def histories(*, min_size: int = 1, max_size: int = 5) -> st.SearchStrategy[list[Slot]]:
    """Lists of slots in which each drawn slot lasts one to four intervals: conditions
    persist. At most 12 slots: enough for every run the rules count, short enough for many
    examples."""
    runs = st.tuples(slots(), st.integers(1, 4))
    return st.lists(runs, min_size=min_size, max_size=max_size).map(
        lambda drawn: [slot for slot, times in drawn for _ in range(times)][:12]
    )


@dataclass(frozen=True)
class Mask:
    """What is hidden in one slot: nothing, some readings, a role, or the sample as a whole."""

    readings: tuple[str, ...] = ()
    role: Role | None = None
    sample: bool = False
    reason: Missing = Missing.NO_SERIES

    def hide(self, slot: Slot) -> Slot | None:
        """The slot as it is seen; None when no sample arrives."""
        if self.sample:
            return None
        hidden = set(self.readings)
        if self.role is not None:
            hidden.add(PULSE_OF[self.role])
        return {**slot, **dict.fromkeys(sorted(hidden), self.reason)}


def masks() -> st.SearchStrategy[Mask]:
    """Mostly nothing hidden, so that recovery of sight is exercised too."""
    some = st.lists(st.sampled_from(MASKABLE), min_size=1, max_size=5, unique=True)
    reasons = st.sampled_from(LOSSES)
    return st.one_of(
        st.just(Mask()),
        st.just(Mask()),
        st.builds(Mask, readings=some.map(tuple), reason=reasons),
        st.builds(Mask, role=st.sampled_from(tuple(Role)[:4]), reason=reasons),
        st.just(Mask(sample=True)),
        st.builds(Mask, readings=st.just(MASKABLE), reason=reasons),
    )


def sample(slot: Slot, n: int) -> Sample:
    """The sample of the n-th slot of a history."""
    return sample_of(
        whole(slot),
        cluster=CLUSTER,
        slot=START + n * INTERVAL_S,
        interval_s=INTERVAL_S,
        source="prometheus",
    )


def folded(
    samples: list[Sample], rules: RulePack | None = None
) -> tuple[ClusterState, list[NewEvent], list[Outcome]]:
    """Fold samples in the given order from nothing."""
    state, events, outcomes = initial(CLUSTER), [], []
    for s in samples:
        step = fold(state, s, rules or RulePack.default())
        state = step.state
        events += step.events
        outcomes.append(step.outcome)
    return state, events, outcomes
