"""Who limits progress: the server, the workers, both, nobody, or it cannot be told.

Theory of operation. Two lists of signs, each a row with the reason it gives. Server signs are the
gates about the server's own services. Worker signs are read from matching and from the workers:
full slots, nobody polling, tasks that wait although the server hands them out in time. Workers are
judged only while no critical gate of the server fires: behind a server that stands still, idle
workers mean nothing.

The worker scaling rules below are never broken by any advice this project gives.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from copilot_core.events import Status
from copilot_core.quantities import Sight
from copilot_core.readings import Missing
from copilot_core.rules import RulePack

SERVER_SERVICES: Final = frozenset({"history", "matching", "frontend", "dsql"})

SCHEDULE_TO_START_MS: Final = 50.0
"""Workflow-task wait from which workers count as busy; measured by the server, whose buckets can
tell."""

WAITING_S: Final = 5.0
"""Age of waiting tasks from which missing pollers matter."""


class Bottleneck(StrEnum):
    """Who limits progress."""

    SERVER = "server-limited"
    WORKER = "worker-limited"
    MIXED = "mixed"
    NOBODY = "healthy"
    UNKNOWN = "unknown"


def _zero(sight: Sight, name: str) -> bool:
    return sight.known(name) == 0.0


def _waiting(sight: Sight) -> bool:
    ages = (sight.known("workflow_backlog_age_s"), sight.known("activity_backlog_age_s"))
    return any(age is not None and age >= WAITING_S for age in ages)


def _nobody_polls(sight: Sight) -> bool:
    gone = sight["worker_processes"] is Missing.NO_SERIES or _zero(sight, "workflow_pollers")
    return _waiting(sight) and gone


def _waits_for_a_worker(sight: Sight) -> bool:
    return _above(sight, "workflow_task_wait_p95_ms", SCHEDULE_TO_START_MS) and _waiting(sight)


def _unpolled(sight: Sight) -> bool:
    return _above(sight, "no_poller_tasks_per_s", 0.5)


def _above(sight: Sight, name: str, limit: float) -> bool:
    value = sight.known(name)
    return value is not None and value >= limit


WORKER_SIGNS: Final[tuple[tuple[str, Callable[[Sight], bool]], ...]] = (
    ("activity slots are full", lambda s: _zero(s, "activity_slots_free")),
    ("workflow-task slots are full", lambda s: _zero(s, "workflow_slots_free")),
    ("tasks wait and nobody polls", _nobody_polls),
    ("tasks are added to queues that nobody polls", _unpolled),
    ("workflow tasks wait for a worker", _waits_for_a_worker),
)


@dataclass(frozen=True, slots=True)
class Limit:
    """The bottleneck of one slot and the signs it was judged by."""

    bottleneck: Bottleneck
    reasons: tuple[str, ...]


def judge(rules: RulePack, sight: Sight, fired: tuple[str, ...], *, blind: bool) -> Limit:
    """Judge one slot. `fired` are the gates that fired as seen."""
    if blind:
        return Limit(Bottleneck.UNKNOWN, ("nothing can be seen",))
    gates = [g for g in rules.gates if g.id in fired]
    server = tuple(g.meaning for g in gates if g.service in SERVER_SERVICES)
    if any(g.severity is Status.CRITICAL and g.service in SERVER_SERVICES for g in gates):
        return Limit(Bottleneck.SERVER, server)
    if sight.silent:
        return Limit(Bottleneck.UNKNOWN, tuple(f"{role} does not report" for role in sight.silent))
    worker = tuple(reason for reason, sign in WORKER_SIGNS if sign(sight))
    if server and worker:
        return Limit(Bottleneck.MIXED, server + worker)
    if server or worker:
        return Limit(Bottleneck.SERVER if server else Bottleneck.WORKER, server or worker)
    if gates:
        return Limit(Bottleneck.UNKNOWN, tuple(g.meaning for g in gates))
    return Limit(Bottleneck.NOBODY, ())


class WorkerRule(StrEnum):
    """Rules about scaling workers that no advice may break."""

    NEVER_SCALE_DOWN_AT_ZERO = "NEVER_SCALE_DOWN_AT_ZERO"
    STICKY_QUEUE_WARNING = "STICKY_QUEUE_WARNING"
    RESTART_TO_REDISTRIBUTE = "RESTART_TO_REDISTRIBUTE"
    POLLER_EXECUTOR_MISMATCH = "POLLER_EXECUTOR_MISMATCH"


@dataclass(frozen=True, slots=True)
class Advice:
    """A worker rule that applies now, and what it says."""

    rule: WorkerRule
    text: str


def worker_advice(
    sight: Sight, *, adding_workers: int = 0, long_running: bool = False
) -> tuple[Advice, ...]:
    """The worker rules that apply in one slot.

    `adding_workers` is how many workers somebody means to add; `long_running` tells whether the
    workflows keep running on the worker that cached them.
    """
    advice: list[Advice] = []
    if _zero(sight, "workflow_slots_free") or _zero(sight, "activity_slots_free"):
        advice.append(
            Advice(
                WorkerRule.NEVER_SCALE_DOWN_AT_ZERO, "slots are exhausted: never remove workers now"
            )
        )
    if adding_workers > 0 and long_running:
        advice.append(
            Advice(
                WorkerRule.STICKY_QUEUE_WARNING,
                "new workers get no work of runs that others have cached",
            )
        )
    workers = sight.known("worker_processes")
    hits = sight.known("sticky_cache_hit_ratio")
    thrashing = hits is not None and hits < 0.5 and workers is not None and workers > 1
    doubling = long_running and workers is not None and adding_workers >= max(workers, 1)
    if thrashing or doubling:
        advice.append(
            Advice(
                WorkerRule.RESTART_TO_REDISTRIBUTE,
                "restart workers one by one so that runs spread over all of them",
            )
        )
    if sight.known("pollers_exceed_slots") == 1.0:
        advice.append(
            Advice(
                WorkerRule.POLLER_EXECUTOR_MISMATCH,
                "a queue has more pollers than slots: polls will be answered and wait",
            )
        )
    return tuple(advice)
