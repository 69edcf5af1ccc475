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


ADVICE: Final[dict[WorkerRule, str]] = {
    WorkerRule.NEVER_SCALE_DOWN_AT_ZERO: "slots are exhausted: never remove workers now",
    WorkerRule.STICKY_QUEUE_WARNING: "new workers get no work of runs that others have cached",
    WorkerRule.RESTART_TO_REDISTRIBUTE: (
        "restart workers one by one so that runs spread over all of them"
    ),
    WorkerRule.POLLER_EXECUTOR_MISMATCH: (
        "a queue has more pollers than slots: polls will be answered and wait"
    ),
}
"""What each rule says when it applies."""


def worker_rules(
    sight: Sight, *, workers_before: float | None = None, long_running: bool = False
) -> tuple[WorkerRule, ...]:
    """The worker rules that apply in one slot.

    `workers_before` is how many worker processes reported at the beginning of the window (None when
    that was not seen); `long_running` tells whether work stays with the worker that cached it.
    """
    rules: list[WorkerRule] = []
    workers = sight.known("worker_processes")
    added = 0.0 if workers is None or workers_before is None else workers - workers_before
    if _zero(sight, "workflow_slots_free") or _zero(sight, "activity_slots_free"):
        rules.append(WorkerRule.NEVER_SCALE_DOWN_AT_ZERO)
    if added > 0 and long_running:
        rules.append(WorkerRule.STICKY_QUEUE_WARNING)
    hits = sight.known("sticky_cache_hit_ratio")
    thrashing = hits is not None and hits < 0.5 and workers is not None and workers > 1
    doubled = long_running and workers_before is not None and added >= max(workers_before, 1.0)
    if thrashing or doubled:
        rules.append(WorkerRule.RESTART_TO_REDISTRIBUTE)
    if sight.known("pollers_exceed_slots") == 1.0:
        rules.append(WorkerRule.POLLER_EXECUTOR_MISMATCH)
    return tuple(rules)


LONG_RUNNING_CACHED: Final = 60.0
"""Cached runs per workflow closed in a second from which work counts as long-running: a run then
lives for a minute or more on the worker that cached it (Little's law)."""


def long_running(sight: Sight) -> bool:
    """Whether workflows stay cached on their workers for a minute or more on average."""
    cached, closings = sight.known("sticky_cache_size"), sight.known("closings_per_s")
    if cached is None or closings is None or cached == 0.0:
        return False
    return cached >= LONG_RUNNING_CACHED * closings
