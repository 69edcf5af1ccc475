"""Gates: one evaluation of the rule tables over the quantities of one slot.

Theory of operation. A condition is looked at twice: whether it holds for the value that was seen,
and whether it could hold for any value in the quantity's range. So a gate is *fired*, or
*possible*, or clear; possible includes fired, and with full sight the two agree. A gate that must
hold for several slots counts both separately. While the band itself is uncertain, a gate is
possible when it is so in any band the cluster could be in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import inf
from typing import Final

from copilot_core.events import Band, GateFinding, Status
from copilot_core.quantities import QUANTITY, Range
from copilot_core.rules import (
    BAND_EDGES,
    BAND_INDEX,
    DEFAULT_HISTORY_REPLICAS,
    Condition,
    Gate,
    RulePack,
)

BANDS: Final = tuple(Band)


@dataclass(frozen=True, slots=True)
class Scaling:
    """What runs, as far as thresholds care: replicas None while no deployment was reported."""

    history_replicas: int | None = None
    scaling_up_evaluations: int = 0

    def factor(self, band: Band) -> float:
        """Factor on the thresholds that scale: default replicas over actual ones, within [0.5, 2].

        Fewer replicas than the band's default loosen, more tighten; nothing tightens while an
        autoscaler has been adding replicas for two evaluations or more.
        """
        if not self.history_replicas:
            return 1.0
        factor = min(
            max(DEFAULT_HISTORY_REPLICAS[BAND_INDEX[band]] / self.history_replicas, 0.5), 2.0
        )
        return max(factor, 1.0) if self.scaling_up_evaluations >= 2 else factor


UNSCALED: Final = Scaling()


def _threshold(
    condition: Condition, band: Band, quantities: Mapping[str, Range], factor: float
) -> Range:
    base = condition.threshold[BAND_INDEX[band]] * factor
    if condition.of is None:
        return Range(base, base, base)
    other = quantities[condition.of]
    value = None if other.value is None else base * other.value
    return Range(value, base * other.low, base * other.high, assumed=other.assumed)


def _holds(
    condition: Condition, band: Band, quantities: Mapping[str, Range], factor: float
) -> tuple[bool, bool]:
    """Whether a condition holds as seen, and whether it could hold."""
    quantity = quantities[condition.quantity]
    if quantity.void:
        return False, False
    threshold = _threshold(condition, band, quantities, factor)
    visible = quantity.value is not None and threshold.value is not None
    if condition.comparison == "<":
        return visible and quantity.value < threshold.value, quantity.low < threshold.high
    return visible and quantity.value >= threshold.value, quantity.high >= threshold.low


def _factor(gate: Gate, band: Band, *, scaling: Scaling, recovering: bool) -> float:
    """What the reported threshold is multiplied by: the margin of recovery, and the replicas."""
    return (gate.recover if recovering else 1.0) * (scaling.factor(band) if gate.scales else 1.0)


def gate_state(
    gate: Gate,
    band: Band,
    quantities: Mapping[str, Range],
    *,
    scaling: Scaling,
    recovering: bool = False,
) -> tuple[bool, bool]:
    """Whether a gate fires as seen, and whether it could fire given what was not seen.

    With `recovering` the reported condition is held to `recover` times its threshold.
    """
    seen = possible = True
    for i, condition in enumerate(gate.conditions):
        factor = 1.0 if i else _factor(gate, band, scaling=scaling, recovering=recovering)
        holds, could = _holds(condition, band, quantities, factor)
        seen, possible = seen and holds, possible and could
        if not possible:
            return False, False
    return seen, possible


def applies(gate: Gate, band: Band, quantities: Mapping[str, Range]) -> bool:
    """Whether all conditions but the reported one hold as seen: the reported one alone keeps it
    clear."""
    return all(_holds(condition, band, quantities, 1.0)[0] for condition in gate.conditions[1:])


def compared(
    gate: Gate,
    band: Band,
    quantities: Mapping[str, Range],
    *,
    scaling: Scaling,
    recovering: bool = False,
) -> tuple[float, float, bool] | None:
    """Value, threshold in force and whether one is assumed, for a gate's reported condition.

    None when the value or what its threshold is a share of was not seen.
    """
    quantity = quantities[gate.main.quantity]
    factor = _factor(gate, band, scaling=scaling, recovering=recovering)
    threshold = _threshold(gate.main, band, quantities, factor)
    if quantity.value is None or threshold.value is None:
        return None
    return quantity.value, threshold.value, quantity.assumed or threshold.assumed


def finding(
    gate: Gate,
    band: Band,
    quantities: Mapping[str, Range],
    *,
    scaling: Scaling,
    recovering: bool = False,
) -> GateFinding | None:
    """What a gate's reported condition compared, as it goes into an event; None when it was not
    seen."""
    sides = compared(gate, band, quantities, scaling=scaling, recovering=recovering)
    if sides is None:
        return None
    value, threshold, assumed = sides
    return GateFinding(
        id=gate.id,
        signal=gate.main.quantity,
        value=_round(value),
        threshold=_round(threshold),
        margin=_round(value - threshold),
        unit=QUANTITY[gate.main.quantity].unit,
        comparison=gate.main.comparison,
        assumed=assumed,
    )


def _round(value: float) -> float:
    return float(f"{value:.6g}") + 0.0


# --- bands --------------------------------------------------------------------------------------


def next_band(band: Band, transitions_per_s: float) -> Band:
    """The band after one known rate: up at 55 and 550, down below 45 and 450."""
    at = BAND_INDEX[band]
    while at < 2 and transitions_per_s >= BAND_EDGES[at][1]:
        at += 1
    while at > 0 and transitions_per_s < BAND_EDGES[at - 1][0]:
        at -= 1
    return BANDS[at]


def next_bands(bands: tuple[Band, Band], transitions_per_s: float | None) -> tuple[Band, Band]:
    """The lowest and highest band the cluster could be in; every one when the rate was not seen."""
    if transitions_per_s is None:
        return Band.STARTER, Band.HIGH
    return next_band(bands[0], transitions_per_s), next_band(bands[1], transitions_per_s)


# --- one evaluation -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What the table says about one slot.

    `fired` and `possible` hold gate ids, in table order; `possible` includes `fired`.
    `held_possible` are the critical gates that could fire at their harder thresholds. `gate_runs`
    counts, for gates that must hold for several slots, how long they have been fired and possible;
    `clean` tells that none of those could be firing at the moment either.
    """

    fired: tuple[str, ...]
    possible: tuple[str, ...]
    held_possible: tuple[str, ...]
    gate_runs: dict[str, tuple[int, int]]
    critical_fired: bool
    critical_possible: bool

    @property
    def clean(self) -> bool:
        """Whether no gate could fire in this slot, however long it would have to."""
        return not self.possible and not self.gate_runs


def evaluate(
    rules: RulePack,
    quantities: Mapping[str, Range],
    *,
    band: Band,
    bands: tuple[Band, Band],
    scaling: Scaling,
    gate_runs: Mapping[str, tuple[int, int]],
    recovering: bool,
) -> Evaluation:
    """Evaluate every gate once. `recovering` asks for the harder thresholds too."""
    fired: list[str] = []
    possible: list[str] = []
    held_possible: list[str] = []
    runs: dict[str, tuple[int, int]] = {}
    critical_fired = critical_possible = False
    others = [b for b in BANDS[BAND_INDEX[bands[0]] : BAND_INDEX[bands[1]] + 1] if b is not band]

    def possible_elsewhere(gate: Gate, *, recovering: bool = False) -> bool:
        return any(
            gate_state(gate, b, quantities, scaling=scaling, recovering=recovering)[1]
            for b in others
        )

    for gate in rules.gates:
        seen, could = gate_state(gate, band, quantities, scaling=scaling)
        could = could or possible_elsewhere(gate)
        critical = gate.severity is Status.CRITICAL
        if critical and recovering:
            _, holds = gate_state(gate, band, quantities, scaling=scaling, recovering=True)
            if holds or possible_elsewhere(gate, recovering=True):
                held_possible.append(gate.id)
        if gate.for_slots > 1 and could:
            before = gate_runs.get(gate.id, (0, 0))
            run, worst_run = (before[0] + 1 if seen else 0), before[1] + 1
            run, worst_run = min(run, gate.for_slots), min(worst_run, gate.for_slots)
            runs[gate.id] = (run, worst_run)
            seen, could = run >= gate.for_slots, worst_run >= gate.for_slots
        if seen:
            fired.append(gate.id)
            critical_fired = critical_fired or critical
        if could:
            possible.append(gate.id)
            critical_possible = critical_possible or critical
    return Evaluation(
        tuple(fired),
        tuple(possible),
        tuple(held_possible),
        runs,
        critical_fired,
        critical_possible,
    )


# --- reasons ------------------------------------------------------------------------------------


def _distance(found: GateFinding) -> float:
    """How far a value is from its threshold, as a share of the larger of the two."""
    scale = max(abs(found.value), abs(found.threshold))
    return abs(found.margin) / scale if scale else inf


def nearest(findings: Iterable[GateFinding], *, count: int = 3) -> tuple[GateFinding, ...]:
    """The findings closest to their thresholds, closest first."""
    return tuple(sorted(findings, key=lambda f: (_distance(f), f.id))[:count])


def counterfactual(former: Status, gates: tuple[GateFinding, ...], *, worse: bool) -> str:
    """What would have kept the transition from happening, in one sentence.

    Getting worse takes one fired gate, so every one of them would have had to stay clear; getting
    better takes all gates clear, so the nearest one would have been enough.
    """
    if former is Status.UNKNOWN:
        outcome = f"would have begun {Status.HAPPY if worse else Status.STRESSED}"
    else:
        outcome = f"would have stayed {former}"
    if not gates:
        return f"{outcome} without sight of the cluster"
    needed: dict[tuple[str, str], GateFinding] = {}
    for gate in gates if worse else nearest(gates, count=1):
        other = needed.get((gate.signal, gate.comparison))
        harder = other is None or (gate.threshold > other.threshold) == (gate.comparison == "<")
        if harder:
            needed[gate.signal, gate.comparison] = gate
    parts = []
    for gate in needed.values():
        side = "at or above" if (gate.comparison == "<") == worse else "below"
        parts.append(f"{gate.signal} {side} {gate.threshold:g} {gate.unit}")
    return f"{outcome} with " + " and ".join(parts)
