"""Signs: what causes are recognised by. One reading each, compared with one figure.

Theory of operation. A sign reads one number from the scene of a slot, or the reason why there is
none, and compares it with a threshold. So a sign is *seen*, *clear* or *unseen*, and a cause that
lacks sight of a sign is neither found nor ruled out. A threshold that a gate of the rule pack has
is taken from there: `gate` names it, and the figure moves with the scale band as the gate does.

    scene    the readings of the slot, the quantities of the rules, the gates that fired, the counts
             of the last log samples, and what was usual before the trouble began

To add a sign, add a row. Ids are recorded in events: never reuse one.

Figures stand beside their rows; they come from the recorded incidents (`tests/data/README.md`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal

from copilot_core.events import SignSeen
from copilot_core.quantities import Range, Sight
from copilot_core.readings import Missing, Reading, reading
from copilot_core.rules import BAND_INDEX, RulePack
from copilot_core.signals import INDEX, PULSE_OF, SERVER_ROLES, Role
from copilot_core.values import Band

Logs = tuple[tuple[int, Mapping[str, int] | None], ...]


@dataclass(frozen=True, slots=True)
class Scene:
    """One slot as causes are looked for in it.

    `usual` holds what was read before the trouble began, by signal and role; `logs` are the recent
    log samples (slot, counts by `service/pattern`), newest last.
    """

    slot: int
    interval_s: int
    sight: Sight
    quantities: Mapping[str, Range]
    fired: tuple[str, ...]
    band: Band
    rules: RulePack
    logs: Logs
    usual: Mapping[str, float] = field(default_factory=dict)


Reader = Callable[[Scene], Reading]


@dataclass(frozen=True, slots=True)
class Sign:
    """One row. `signal` names what is read; `says` is the sign in words, the end of a sentence.

    `gate` takes the threshold of that gate's reported condition instead of `threshold`.
    """

    id: str
    signal: str
    comparison: Literal["<", ">="]
    threshold: float
    unit: str
    says: str
    read: Reader
    gate: str | None = None

    def limit(self, scene: Scene) -> float:
        """The figure that the reading is compared with in this scene."""
        if self.gate is None:
            return self.threshold
        return scene.rules.gate(self.gate).main.threshold[BAND_INDEX[scene.band]]

    def look(self, scene: Scene) -> tuple[bool | None, Reading]:
        """Whether it is seen (None: it cannot be read), and what was read."""
        value = self.read(scene)
        if isinstance(value, Missing):
            return None, value
        limit = self.limit(scene)
        return (value < limit if self.comparison == "<" else value >= limit), value

    def seen(self, scene: Scene, value: float) -> SignSeen:
        """What is recorded of a sign that was seen with this value."""
        return SignSeen(
            id=self.id,
            signal=self.signal,
            value=value,
            comparison=self.comparison,
            threshold=self.limit(scene),
            unit=self.unit,
            at=scene.slot,
        )


_DEMAND_ROSE: Final = 1.5
"""Demand over the usual one from which more is asked for: Poisson arrivals of 1/s, counted over a
minute, exceed it once in 5,000 slots by chance."""

_NOT_ASKED: Final = (Missing.SCRAPE_FAILED, Missing.TIMED_OUT, Missing.NO_SAMPLE)
"""Why a pulse says nothing about its role."""


# --- readers ------------------------------------------------------------------------------------


def _signal(name: str) -> Reader:
    return lambda scene: scene.sight[name]


def _quantity(name: str) -> Reader:
    """A quantity of the rules; one that stands on earlier slots is not seen."""

    def read(scene: Scene) -> Reading:
        q = scene.quantities[name]
        if q.value is None or q.assumed:
            return Missing.NO_SOURCE if q.void else Missing.NO_SERIES
        return reading(q.value)

    return read


def _over(name: str, of: str) -> Reader:
    """One quantity as a share of another; missing where the other is zero or unseen."""

    def read(scene: Scene) -> Reading:
        part, whole = _quantity(name)(scene), _quantity(of)(scene)
        if isinstance(part, Missing):
            return part
        if isinstance(whole, Missing):
            return whole
        return reading(part / whole) if whole > 0 else Missing.NOT_A_NUMBER

    return read


def _over_usual(name: str, read: Reader) -> Reader:
    """A reading as a share of what was usual before the trouble."""

    def share(scene: Scene) -> Reading:
        value, usual = read(scene), scene.usual.get(name)
        if isinstance(value, Missing):
            return value
        return reading(value / usual) if usual else Missing.NO_SERIES

    return share


def pulse(scene: Scene, role: Role) -> Reading:
    """Processes of a role that report; 0 where the backend answered that there are none.

    Only for a role that was seen before: one that never reported is nobody's loss.
    """
    if role not in scene.usual:
        return Missing.NO_SOURCE
    value = scene.sight[PULSE_OF[role]]
    if value in (Missing.NO_SERIES, Missing.NO_SOURCE):
        return 0.0
    return value


def _pulse(role: Role) -> Reader:
    return lambda scene: pulse(scene, role)


def _fewer(role: Role) -> Reader:
    """Processes of a role that are gone while others of it report."""

    def read(scene: Scene) -> Reading:
        now = pulse(scene, role)
        if isinstance(now, Missing):
            return now
        return max(0.0, scene.usual[role] - now) if now >= 1.0 else 0.0

    return read


def _lost_workers(scene: Scene) -> Reading:
    """Worker processes that are gone although no more work is asked for than before."""
    gone = _fewer(Role.WORKERS)(scene)
    demand = _over_usual("demand_per_s", _quantity("demand_per_s"))(scene)
    if not isinstance(demand, Missing) and demand >= _DEMAND_ROSE:
        return 0.0
    return gone


def _silent_roles(scene: Scene) -> Reading:
    """Server roles that were seen before and do not report."""
    pulses = [pulse(scene, role) for role in SERVER_ROLES]
    if all(isinstance(p, Missing) for p in pulses):
        return Missing.NO_SERIES
    return float(sum(1 for p in pulses if p == 0.0))


_WITNESSES: Final = (
    "steps_seen_by_frontend_per_s",
    "steps_seen_by_history_per_s",
    "steps_seen_by_workers_per_s",
    "transitions_per_s",
)


def _unseen_roles(scene: Scene) -> Reading:
    """Server roles that were seen before and are not, whether they are silent or nobody could ask."""
    known = [role for role in SERVER_ROLES if role in scene.usual]
    if not known:
        return Missing.NO_SOURCE
    unseen = sum(1 for role in known if isinstance(scene.sight[PULSE_OF[role]], Missing))
    return float(unseen)


def _unreadable_roles(scene: Scene) -> Reading:
    """Server roles that were seen before and could not be asked for."""
    known = [role for role in SERVER_ROLES if role in scene.usual]
    if not known:
        return Missing.NO_SOURCE
    return float(sum(1 for role in known if scene.sight[PULSE_OF[role]] in _NOT_ASKED))


def _returns(role: Role) -> Reader:
    """How often a role came back after a slot without it, in the window and now."""

    def read(scene: Scene) -> Reading:
        if role not in scene.usual:
            return Missing.NO_SOURCE
        at = INDEX[PULSE_OF[role]]
        seen = gone = False
        returns = 0
        for slot in (*scene.sight.window, scene.sight.readings):
            if not isinstance(slot[at], Missing):
                returns += gone
                seen, gone = True, False
            elif seen and slot[at] is Missing.NO_SERIES:
                gone = True
        return float(returns)

    return read


def _restarts(scene: Scene) -> Reading:
    """Server processes that were started anew since the trouble began, per history process."""
    now, usual = scene.sight["processes_restarted"], scene.usual.get("processes_restarted")
    if isinstance(now, Missing):
        return now
    if usual is None:
        return Missing.NO_SERIES
    return reading(max(0.0, now - usual) / max(1.0, scene.usual.get(Role.HISTORY, 1.0)))


def _work(scene: Scene) -> Reading:
    """Work done by whoever still counts it, as a share of what the same one counted before."""
    shares = [
        now / usual
        for name in _WITNESSES
        if (now := scene.sight.known(name)) is not None
        and (usual := scene.usual.get(name, 0.0)) > 0.0
    ]
    return reading(max(shares)) if shares else Missing.NO_SERIES


def _slots_free(scene: Scene) -> Reading:
    """Free slots of the fullest kind."""
    kinds = [scene.sight["activity_slots_free"], scene.sight["workflow_slots_free"]]
    known = [k for k in kinds if not isinstance(k, Missing)]
    return min(known) if known else kinds[0]


def hold_s(sight: Sight) -> float | None:
    """Activity slots in use per closing and second: how long a workflow keeps slots (Little)."""
    used, closings = sight.known("activity_slots_used"), sight.known("closings_per_s")
    if used is None or closings is None:
        return None
    return used / max(closings, 0.02)  # one closing in the window of a rate


def _hold(scene: Scene) -> Reading:
    held = hold_s(scene.sight)
    return Missing.NO_SERIES if held is None else reading(held)


def _activity_failures(scene: Scene) -> Reading:
    """Failed attempts of activities per workflow that closes."""
    failures, closings = scene.sight["activity_failures_per_s"], scene.sight["closings_per_s"]
    if isinstance(failures, Missing):
        return failures
    if isinstance(closings, Missing):
        return closings
    return reading(failures / closings) if closings > 0.0 else Missing.NOT_A_NUMBER


def _log(pattern: str, service: str | None = None) -> Reader:
    """Lines of a pattern in the recent log samples, of one service or of all server processes."""

    def read(scene: Scene) -> Reading:
        counted = [counts for _, counts in scene.logs if counts is not None]
        if not counted:
            return Missing.NO_SOURCE
        return float(
            sum(
                n
                for counts in counted
                for name, n in counts.items()
                if name.partition("/")[2] == pattern and service in (None, name.partition("/")[0])
            )
        )

    return read


def _fired(*gates: str) -> Reader:
    """How many of these gates fired."""
    return lambda scene: float(sum(1 for gate in gates if gate in scene.fired))


# --- the table ----------------------------------------------------------------------------------

_WORK_STOPPED: Final = 2 / 3
"""As the gate role-unseen-and-slower: the rest of a rate's window still counts for some 20 s."""


def _one(role: Role) -> str:
    """What a single process of a role is called."""
    return "worker" if role is Role.WORKERS else role


def _of_role(role: Role) -> tuple[Sign, ...]:
    return (
        Sign(f"{role}-silent", PULSE_OF[role], "<", 1.0, "processes", f"no {_one(role)} process reports", _pulse(role)),
        Sign(f"{role}-fewer", PULSE_OF[role], ">=", 1.0, "processes", f"{_one(role)} processes are gone while others report", _fewer(role)),
        Sign(f"{role}-returns", PULSE_OF[role], ">=", 2.0, "returns", f"{_one(role)} processes were gone and came back", _returns(role)),
    )  # fmt: skip


SIGNS: Final[tuple[Sign, ...]] = (
    *(sign for role in (*SERVER_ROLES, Role.WORKERS) for sign in _of_role(role)),
    Sign("roles-silent", "silent_roles", ">=", 1.0, "roles", "server roles do not report", _silent_roles),
    Sign("roles-unreadable", "silent_roles", ">=", 1.0, "roles", "server roles could not be asked for", _unreadable_roles),
    Sign("all-unseen", "silent_roles", ">=", 3.0, "roles", "no server role can be seen", _unseen_roles),
    Sign("roles-report", "silent_roles", "<", 1.0, "roles", "every server role reports", _silent_roles),
    # --- work ------------------------------------------------------------------------------------
    Sign("work-fell", "remaining_ratio", "<", _WORK_STOPPED, "ratio", "whoever still counts work counts less of it than before", _work),
    Sign("work-goes-on", "remaining_ratio", ">=", _WORK_STOPPED, "ratio", "work goes on as before, counted by others", _work),
    Sign("no-steps", "first_steps_per_s", "<", 1 / 3, "of demand", "next to no workflow task is completed", _over("first_steps_per_s", "demand_per_s"), "no-progress"),
    Sign("steps-done", "first_steps_per_s", ">=", 2 / 3, "of demand", "workflow tasks are completed", _over("first_steps_per_s", "demand_per_s"), "steps-behind-demand"),
    Sign("closings-behind", "closings_per_s", "<", 0.5, "of demand", "fewer workflows close than are started", _over("closings_per_s", "demand_per_s"), "completing-less-than-half"),
    Sign("closings-keep-up", "closings_per_s", ">=", 0.5, "of demand", "workflows close about as fast as they are started", _over("closings_per_s", "demand_per_s"), "completing-less-than-half"),
    Sign("closings-kept", "closings_per_s", ">=", 0.5, "of usual", "as many workflows close as before", _over_usual("closings_per_s", _quantity("closings_per_s"))),
    Sign("demand-rose", "demand_per_s", ">=", _DEMAND_ROSE, "of usual", "more workflows are started than before", _over_usual("demand_per_s", _quantity("demand_per_s"))),
    Sign("waiting", "queue_wait_s", ">=", 20.0, "s", "tasks wait in matching", _quantity("queue_wait_s")),
    Sign("activities-wait", "activity_backlog_age_s", ">=", 5.0, "s", "activity tasks wait in matching", _signal("activity_backlog_age_s")),
    Sign("no-success", "completion_ratio", "<", 0.85, "ratio", "too few workflows close with success", _quantity("completion_ratio"), "completion-ratio-low"),
    # --- workers ---------------------------------------------------------------------------------
    Sign("workers-reports", "worker_processes", ">=", 1.0, "processes", "worker processes report", _pulse(Role.WORKERS)),
    Sign("workers-lost", "worker_processes", ">=", 1.0, "processes", "worker processes are gone and no more work is asked for than before", _lost_workers),
    Sign("slots-full", "activity_slots_free", "<", 1.0, "slots", "a worker has no free slot", _slots_free),
    Sign("activity-slots-full", "activity_slots_free", "<", 1.0, "slots", "a worker has no free activity slot", _signal("activity_slots_free")),
    Sign("slots-free", "activity_slots_free", ">=", 1.0, "slots", "the workers have free slots", _slots_free),
    Sign("pollers-open", "workflow_pollers", ">=", 1.0, "pollers", "workers poll for workflow tasks", _signal("workflow_pollers")),
    Sign("no-pollers", "no_poller_tasks_per_s", ">=", 0.5, "1/s", "tasks are added to queues that nobody polls", _signal("no_poller_tasks_per_s"), "no-pollers"),
    Sign("held-longer", "activity_slots_used", ">=", 5.0, "of usual", "a workflow keeps activity slots longer than before", _over_usual("hold_s", _hold)),
    Sign("held-as-before", "activity_slots_used", "<", 5.0, "of usual", "a workflow keeps activity slots about as long as before", _over_usual("hold_s", _hold)),
    Sign("polls-fail", "worker_poll_failures_per_s", ">=", 0.3, "1/s", "polls of the workers fail", _signal("worker_poll_failures_per_s")),
    Sign("activities-fail", "activity_failures_per_s", ">=", 0.25, "of closings", "attempts of activities fail", _activity_failures),
    Sign("activities-succeed", "activity_failures_per_s", "<", 0.1, "of closings", "few attempts of activities fail", _activity_failures),
    # --- frontend --------------------------------------------------------------------------------
    Sign("frontend-errors", "frontend_error_ratio", ">=", 0.05, "ratio", "calls are refused", _quantity("frontend_error_ratio"), "frontend-errors"),
    Sign("rate-limited", "rate_limited_per_s", ">=", 0.5, "1/s", "calls are answered with resource exhausted", _signal("rate_limited_per_s")),
    # --- history ---------------------------------------------------------------------------------
    Sign("transitions-slow", "transition_p99_ms", ">=", 2000.0, "ms", "changing a workflow takes long", _quantity("transition_p99_ms"), "transition-p99"),
    Sign("history-behind", "history_backlog_age_s", ">=", 120.0, "s", "history's queues fall behind", _quantity("history_backlog_age_s"), "history-backlog"),
    Sign("restarted-again", "processes_restarted", ">=", 2.0, "per process", "server processes were started more than once", _restarts),
    Sign("shards-reacquired", "shards_moved_ratio", ">=", 0.9, "ratio", "nearly all shards were acquired anew", _signal("shards_moved_ratio")),
    Sign("shards-moved", "shards_moving_ratio", ">=", 0.5, "ratio", "shards moved in two windows in a row", _quantity("shards_moving_ratio"), "shards-moving"),
    Sign("housekeeping", "housekeeping_per_s", ">=", 2.0, "1/s", "workflows are deleted in mass", _quantity("housekeeping_per_s")),
    Sign("hot-shard", "hot_shard_ratio", ">=", 20.0, "ratio", "the busiest shard gets far more calls than the median one", _signal("hot_shard_ratio")),
    # --- database --------------------------------------------------------------------------------
    Sign("database-slow", "persistence_p99_ms", ">=", 500.0, "ms", "database calls take long", _quantity("persistence_p99_ms"), "persistence-p99"),
    Sign("database-quick", "persistence_p99_ms", "<", 500.0, "ms", "database calls are quick", _quantity("persistence_p99_ms"), "persistence-p99"),
    Sign("database-errs", "persistence_errors_per_s", ">=", 0.1, "1/s", "database calls fail", _quantity("persistence_errors_per_s")),
    Sign("database-fails", "persistence_error_ratio", ">=", 0.5, "ratio", "half of the database calls or more fail", _quantity("persistence_error_ratio"), "persistence-fails"),
    Sign("database-works", "persistence_error_ratio", "<", 0.05, "ratio", "database calls succeed", _quantity("persistence_error_ratio"), "persistence-erring"),
    Sign("pool-full", "pool_used_pct", ">=", 90.0, "%", "a connection pool is taken", _signal("pool_used_pct")),
    Sign("conflicts", "occ_conflicts_per_s", ">=", 1.0, "1/s", "transactions lose races", _signal("occ_conflicts_per_s")),
    Sign("races-lost", "lost_races_per_s", ">=", 1.0, "1/s", "compare-and-set on workflow state is lost", _signal("lost_races_per_s")),
    # --- host ------------------------------------------------------------------------------------
    # Pauses of the collector last as long as its threads wait for a core: 0.7 to 0.9 % of the time with
    # 16 loops on the cluster's core (n19), 0.2 % at the most in 21 other incidents. No server has a
    # signal of its own for CPU.
    Sign("collector-pauses", "gc_pause_ratio", ">=", 0.004, "ratio", "pauses of the garbage collector take long: its threads wait for a core", _signal("gc_pause_ratio")),
    # --- logs ------------------------------------------------------------------------------------
    Sign("log-no-hosts", "log:*/not_enough_hosts", ">=", 5.0, "lines", "a whole role is missing from the ring", _log("not_enough_hosts")),
    Sign("log-refused", "log:*/connection_refused", ">=", 5.0, "lines", "connections are refused", _log("connection_refused")),
    Sign("log-deadlines", "log:*/deadline_exceeded", ">=", 20.0, "lines", "calls run out of time", _log("deadline_exceeded")),
    Sign("log-database-gone", "log:*/database_unusable", ">=", 20.0, "lines", "the server has given database connections up", _log("database_unusable")),
    Sign("log-no-connection", "log:*/pool_exhausted", ">=", 1.0, "lines", "no free database connection", _log("pool_exhausted")),
    Sign("log-serialization", "log:*/serialization_failure", ">=", 20.0, "lines", "transactions lose and are made again", _log("serialization_failure")),
    Sign("log-rate-limited", "log:*/rate_limited", ">=", 5.0, "lines", "calls or connections are turned away at a limit", _log("rate_limited")),
)  # fmt: skip

SIGN: Final[Mapping[str, Sign]] = MappingProxyType({s.id: s for s in SIGNS})
