"""The fold: one message in, the next state and the events it decides out. The only place that
decides.

Theory of operation.

    decide   state, message, rules -> events     what is recorded
    evolve   state, event -> state               what the log alone gives back
    fold     = decide, then evolve over its events

`SampleRecorded` carries the verdict, so `evolve` needs no rules: the state of a cluster is the fold
of its log even when the rules have changed since. Re-deciding the recorded samples with the same
rules gives the same bytes (law L1).

Slots. The next slot is decided at once. A sample further ahead waits in `held` while one slot is
missing; the sample of the missing slot releases it, a still later one closes the gap: what is
missing is decided as all-missing, `source` "filled". A sample of a closed slot is a duplicate when
the slot had been seen and late when it had been filled; a late one is recorded as dropped. `held`
is no part of the log: it travels as the carry of the shard's head.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, assert_never

import orjson

from copilot_core import decisions, logs
from copilot_core.errors import Rejected
from copilot_core.events import (
    Causation,
    DeploymentRecorded,
    Event,
    NewEvent,
    SampleDropped,
    new_event,
)
from copilot_core.gates import Scaling
from copilot_core.quantities import WINDOW_SLOTS
from copilot_core.readings import Missing
from copilot_core.rules import RulePack
from copilot_core.samples import (
    DeploymentFact,
    Input,
    LogSample,
    Sample,
    all_missing,
    decode,
    encode,
)
from copilot_core.state import FILLED, WATCHDOG, ClusterState, evolve, evolved, initial

__all__ = [
    "ClusterState",
    "Folded",
    "Outcome",
    "carry_of",
    "evolve",
    "fold",
    "initial",
    "restore_held",
]

MAX_FILLED_SLOTS: Final = WINDOW_SLOTS
"""A longer gap is filled this far and then jumped: by then every mean and run stands still."""


class Outcome(StrEnum):
    """What became of a message."""

    FOLDED = "folded"
    HELD = "held"
    DUPLICATE = "duplicate"
    LATE = "late"


@dataclass(frozen=True, slots=True)
class Folded:
    """The state after a message, the events it decided, and what became of it."""

    state: ClusterState
    events: tuple[NewEvent, ...]
    outcome: Outcome


def fold(
    state: ClusterState, message: Input, rules: RulePack, *, causation: Causation | None = None
) -> Folded:
    """Fold one message. Pure: the same arguments give the same events, byte for byte.

    Raises `Rejected` (code `lies_about_cluster`) for a message about another cluster.
    """
    if message.cluster != state.cluster:
        raise Rejected(
            f"message about {message.cluster!r} folded into {state.cluster!r}",
            code="lies_about_cluster",
        )
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
                at=message.at,
                history_replicas=message.history_replicas,
                scaling_up_evaluations=message.scaling_up_evaluations,
            )
            return _record(state, (recorded,), causation, Outcome.FOLDED)
        case _:
            assert_never(message)


def _record(
    state: ClusterState, events: Iterable[Event], causation: Causation | None, outcome: Outcome
) -> Folded:
    recorded: list[NewEvent] = []
    for event in events:
        version = (
            state.health_version if event.stream_kind == "health" else state.logs_version
        ) + 1
        recorded.append(
            new_event(event, cluster=state.cluster, version=version, causation=causation)
        )
        state = evolved(state, event)
    return Folded(state, tuple(recorded), outcome)


def _fold_sample(
    state: ClusterState, sample: Sample, rules: RulePack, causation: Causation | None
) -> Folded:
    expected = state.last_slot + sample.interval_s
    if sample.slot <= state.last_slot:
        return _fold_closed_slot(state, sample, causation)
    if state.held is not None and sample.slot == state.held.slot:
        return Folded(state, (), Outcome.DUPLICATE)
    on_grid = state.last_slot != 0 and sample.interval_s == state.interval_s
    if state.held is None and on_grid and sample.slot == expected + sample.interval_s:
        return Folded(replace(state, held=sample), (), Outcome.HELD)
    waiting = [] if state.held is None else [state.held]
    ready = sorted([sample, *waiting], key=lambda s: s.slot)
    state = replace(state, held=None)
    events: list[NewEvent] = []
    for current in ready:
        for slot_sample in (*_filling(state, current), current):
            folded = _record(
                state, decisions.decide(state, slot_sample, rules), causation, Outcome.FOLDED
            )
            state = folded.state
            events.extend(folded.events)
    return Folded(state, tuple(events), Outcome.FOLDED)


def _fold_closed_slot(state: ClusterState, sample: Sample, causation: Causation | None) -> Folded:
    seen = dict(state.recent).get(sample.slot)
    if seen is not False or sample.source == WATCHDOG:
        return Folded(state, (), Outcome.DUPLICATE)
    dropped = SampleDropped(
        slot=sample.slot, source=sample.source, reason="arrived after its slot was closed as unseen"
    )
    return _record(state, (dropped,), causation, Outcome.LATE)


def _filling(state: ClusterState, sample: Sample) -> Iterator[Sample]:
    """All-missing samples for the slots between the last decided one and `sample`."""
    if state.last_slot == 0 or sample.interval_s != state.interval_s:
        return
    first = state.last_slot + sample.interval_s
    for slot in range(
        first, min(sample.slot, first + MAX_FILLED_SLOTS * sample.interval_s), sample.interval_s
    ):
        yield all_missing(
            Missing.NO_SAMPLE,
            cluster=sample.cluster,
            slot=slot,
            interval_s=sample.interval_s,
            source=FILLED,
        )


# --- what a shard's head carries ----------------------------------------------------------------


def carry_of(states: Mapping[str, ClusterState]) -> bytes:
    """All held samples of a shard, for the carry of its head; empty when none is held."""
    held = [
        encode(state.held).decode() for _, state in sorted(states.items()) if state.held is not None
    ]
    return orjson.dumps(held) if held else b""


def restore_held(carry: bytes) -> dict[str, Sample]:
    """Held samples by cluster, from a head's carry; raises `Rejected` when it does not decode."""
    samples = [decode(text.encode()) for text in orjson.loads(carry)] if carry else []
    return {s.cluster: s for s in samples if isinstance(s, Sample)}
