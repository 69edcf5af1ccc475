"""Health of the services beside the status: derived from the gates that fired, no thresholds of its
own.

A gate names its service and whether it speaks of pressure or of progress. A service is *blocked*
when a critical gate of its own fires, *degraded* when a stressed one about progress does. Pressure
is high when a pressure gate fires and moderate when its value is beyond half of the threshold. A
service whose pulse is gone is `unseen`: nothing is claimed about it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from copilot_core.events import Band, Evidence, Status
from copilot_core.gates import Scaling, compared
from copilot_core.quantities import Range, Sight
from copilot_core.readings import Missing
from copilot_core.rules import SERVICES, RulePack
from copilot_core.signals import PULSE_OF, Role

_ROLE_OF: Final[dict[str, Role]] = {
    "history": Role.HISTORY,
    "matching": Role.MATCHING,
    "frontend": Role.FRONTEND,
    "workers": Role.WORKERS,
    "dsql": Role.HISTORY,  # the database is seen through history's calls
}

MODERATE: Final = 0.5
"""Share of a pressure threshold from which pressure counts as moderate."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """A reading that looks bad and is expected: shown, so that nobody chases it."""

    signal: str
    service: str
    above: float
    unless: str | None
    why: str


ARTIFACTS: Final[tuple[Artifact, ...]] = (
    Artifact(
        "shards_moved_ratio",
        "history",
        0.5,
        "shards-moving",
        "one deploy or restart moves every shard once",
    ),
    Artifact(
        "worker_long_poll_p95_ms",
        "workers",
        10_000.0,
        None,
        "long polls wait on purpose; the histogram ends at 10 s",
    ),
    Artifact(
        "persistence_p99_ms",
        "dsql",
        500.0,
        "persistence-p99",
        "a short burst of slow calls; it counts when it lasts",
    ),
    Artifact(
        "processes_restarted",
        "history",
        0.5,
        None,
        "a process that is new to the window counts as restarted until the window has passed",
    ),
)


@dataclass(frozen=True, slots=True)
class ServiceHealth:
    """`progress`: ok, degraded, blocked or unseen. `pressure`: low, moderate, high or unknown."""

    service: str
    progress: str
    pressure: str
    dominant_signal: str | None
    artifacts: tuple[str, ...]
    evidence: Evidence


def assess(
    rules: RulePack,
    quantities: Mapping[str, Range],
    sight: Sight,
    fired: tuple[str, ...],
    *,
    band: Band,
    scaling: Scaling,
) -> tuple[ServiceHealth, ...]:
    """Health of every service in one slot, in the order of `SERVICES`."""
    return tuple(
        _service(name, rules, quantities, sight, frozenset(fired), band=band, scaling=scaling)
        for name in SERVICES
    )


def _service(
    name: str,
    rules: RulePack,
    quantities: Mapping[str, Range],
    sight: Sight,
    fired: frozenset[str],
    *,
    band: Band,
    scaling: Scaling,
) -> ServiceHealth:
    pulse = sight[PULSE_OF[_ROLE_OF[name]]]
    if isinstance(pulse, Missing):
        return ServiceHealth(name, "unseen", "unknown", None, (), Evidence.BLIND)
    progress, pressure, highest, dominant = "ok", "low", 0.0, None
    for gate in rules.gates:
        if gate.service != name or not (gate.pressure or gate.id in fired):
            continue
        if gate.id in fired:
            if gate.severity is Status.CRITICAL:
                progress = "blocked"
            elif not gate.pressure and progress == "ok":
                progress = "degraded"
            dominant = dominant or gate.main.quantity
        if (
            gate.pressure
            and (sides := compared(gate, band, quantities, scaling=scaling)) is not None
        ):
            load = sides[0] / sides[1] if sides[1] > 0 else 0.0
            if gate.id in fired:
                pressure = "high"
            elif load >= MODERATE and pressure == "low":
                pressure = "moderate"
            if load >= MODERATE and load > highest and not fired:
                highest, dominant = load, gate.main.quantity
    artifacts = tuple(
        a.signal
        for a in ARTIFACTS
        if a.service == name
        and a.unless not in fired
        and (v := sight.known(a.signal)) is not None
        and v >= a.above
    )
    return ServiceHealth(name, progress, pressure, dominant, artifacts, Evidence.FRESH)
