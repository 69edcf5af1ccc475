"""The graph of causes: what can be the matter, how it reaches users, and what to do about it.

Theory of operation. Tables, closed: nothing is ever named as a cause that has no row here.

    COMPONENTS, KINDS   the vocabulary; a cause is one word of each
    MECHANISMS          steps on the way from a cause to what users feel, in words
    CAUSES              per cause: the signs that must be seen, that support, that speak against,
                        the mechanisms in order, the causes whose signs it brings along, and the
                        safe next step with its runbook

Signs are rows of `copilot_core.signs`; the interpreter that ranks causes is
`copilot_core.diagnosis`. A runbook is a page of `docs/rag/`.

To add a cause, add a row, a runbook page and a recorded incident (`docs/how-to/add-a-cause.md`).

Words: those of the recorded incidents (`tests/data/README.md`). Pairs that no signal of the table
can show have no row: `worker_service` (it has no pulse) and `configuration` (changes of
configuration are told beside the causes, as what changed before).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import orjson


class Component(StrEnum):
    """Who is the matter."""

    WORKERS = "workers"
    ACTIVITIES = "activities"
    WORKFLOWS = "workflows"
    FRONTEND = "frontend"
    HISTORY = "history"
    MATCHING = "matching"
    WORKER_SERVICE = "worker_service"
    DATABASE = "database"
    NETWORK = "network"
    HOST = "host"
    CLIENT = "client"
    CONFIGURATION = "configuration"
    MONITORING = "monitoring"


class Kind(StrEnum):
    """What is the matter with it."""

    ABSENT = "absent"
    MISROUTED = "misrouted"
    UNDERSIZED = "undersized"
    SLOW = "slow"
    FAILING = "failing"
    DOWN = "down"
    RESTARTING = "restarting"
    UNREACHABLE = "unreachable"
    CONNECTIONS_EXHAUSTED = "connections_exhausted"
    THROTTLED = "throttled"
    CONTENDED = "contended"
    OVERLOADED = "overloaded"
    SKEWED = "skewed"
    MOVING = "moving"
    BACKLOGGED_BY_HOUSEKEEPING = "backlogged_by_housekeeping"
    MISCONFIGURED = "misconfigured"
    NOT_VISIBLE = "not_visible"


MECHANISMS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "nobody-polls": "no worker polls the task queues",
        "polls-elsewhere": "the workers poll other task queues than the ones that get work",
        "tasks-wait": "tasks wait in matching",
        "slots-full": "every slot of the workers is taken",
        "activities-hang": "activities take longer than before and keep their slots",
        "calls-fail": "activities fail and their workflows with them",
        "code-fails": "workflows end without success",
        "capacity-short": "the workers take less work than arrives",
        "one-fewer": "fewer worker processes share the work",
        "starts-refused": "workflow starts and completions are refused",
        "no-entry": "nobody reaches the cluster: clients and workers call in vain",
        "history-silent": "workflows whose shards are gone cannot change",
        "shards-reload": "each restart loads its shards anew, and their workflows wait for it",
        "no-dispatch": "tasks are not handed to workers",
        "calls-slow": "database calls take longer",
        "calls-refused": "database calls fail",
        "no-connection": "the server finds no free database connection",
        "transactions-lost": "transactions lose races and are made again",
        "transitions-slow": "changing a workflow takes longer",
        "queues-fall-behind": "history's queues fall behind",
        "housekeeping-first": "deletions take the turns of users' work",
        "hot-shard": "one shard gets far more calls than the others",
        "calls-turned-away": "calls are turned away at a limit",
        "calls-between-fail": "calls between the server's processes fail although they all run",
        "everything-slow": "server, database calls and workers slow down together",
        "work-stops": "workflows do not close",
        "work-slows": "workflows close more slowly than they are started",
        "no-success": "workflows close, but not with success",
        "users-spared": "users notice nothing",
        "blind": "what the cluster does cannot be seen",
    }
)
"""Steps from a cause to what users feel, as the end of a sentence."""


@dataclass(frozen=True, slots=True)
class TellApart:
    """A sign that must be visible to tell a cause from another one (`component/kind`; empty: from
    none at all)."""

    sign: str
    rather_than: str


@dataclass(frozen=True, slots=True)
class Cause:
    """One row.

    `says` is the cause in words, the end of "The likeliest cause is that …".
    `must`        signs without which there is no such cause; `a|b` is satisfied by either
    `unless`      signs that rule it out when they are seen
    `supports`    signs that add to its score; `against`, signs that take from it
    `tells`       signs of `must` that have to be visible; where they are not, the answer is that
                  it cannot be told
    `brings`      causes whose signs it brings along: beside it they are none of their own
    `follows`     causes in whose aftermath, while what piled up is worked off, it looks alike
    `path`        mechanisms from the cause to what users feel
    `structural`  it is seen in the installation itself and needs no impaired progress to be one
    `slots`       how many slots it must have been seen in
    `action`      the safe next step, one sentence
    `key`         `component/kind`

    Signs that are not seen for lack of sight neither add nor take.
    """

    component: Component
    kind: Kind
    says: str
    must: tuple[str, ...]
    path: tuple[str, ...]
    action: str
    supports: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    tells: tuple[TellApart, ...] = ()
    brings: tuple[str, ...] = ()
    follows: tuple[str, ...] = ()
    structural: bool = False
    slots: int = 2
    key: str = field(init=False, default="")

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", f"{self.component}/{self.kind}")

    @property
    def runbook(self) -> str:
        """The page of `docs/rag/` about it."""
        return f"{self.component}-{self.kind}".replace("_", "-")


_DOWN: Final = ("frontend/down", "history/down", "matching/down")
_RESTARTING: Final = ("frontend/restarting", "history/restarting", "matching/restarting")
_LEAVES_A_BACKLOG: Final = (
    *_DOWN, *_RESTARTING, "workers/absent", "workers/misrouted", "workers/undersized",
    "activities/slow", "database/down", "database/slow", "database/connections_exhausted",
    "network/unreachable", "monitoring/not_visible",
)  # fmt: skip
"""Causes after which a backlog is worked off: everything is busy then, and nothing is wrong."""


def _after(own: str) -> tuple[str, ...]:
    return tuple(key for key in _LEAVES_A_BACKLOG if key != own)


def _down(role: str, component: Component, path: str) -> Cause:
    return Cause(component, Kind.DOWN, f"{_A[component]} does not answer",
        (f"{role}-silent|{role}-fewer", f"work-fell|{role}-fewer"),
        supports=("frontend-errors", "polls-fail", "log-no-hosts", "log-refused"),
        path=(path, "work-stops"), structural=True, slots=1,
        tells=(TellApart("work-fell", "monitoring/not_visible"),),
        brings=("network/unreachable", "workers/misrouted"),
        action=f"See whether every {role} process runs and answers; start what is missing, one process at a time.",
    )  # fmt: skip


def _restarting(role: str, component: Component) -> Cause:
    must = (f"{role}-returns",)
    if component is Component.HISTORY:  # quick restarts fall between two slots; shards show them
        must = ("history-returns|restarted-again", "history-returns|shards-reacquired")
    return Cause(component, Kind.RESTARTING, f"{_A[component]} is started again and again", must,
        supports=("frontend-errors", "log-no-hosts", "log-refused", "work-fell"),
        path=("shards-reload" if component is Component.HISTORY else "starts-refused", "work-slows"),
        slots=1, brings=(f"{component}/down", "monitoring/not_visible", "network/unreachable"),
        action=f"Find out why the {role} processes end before they are started again: exit codes, memory limits, health checks.",
    )  # fmt: skip


_A: Final[Mapping[Component, str]] = MappingProxyType(
    {
        Component.FRONTEND: "the frontend",
        Component.HISTORY: "a history process",
        Component.MATCHING: "matching",
    }
)

CAUSES: Final[tuple[Cause, ...]] = (
    # --- who does the work ----------------------------------------------------------------------
    Cause(Component.WORKERS, Kind.ABSENT, "no worker polls the task queues",
        ("workers-silent|no-pollers", "no-steps"), unless=("workers-reports", "roles-silent", "database-fails"),
        supports=("waiting", "no-pollers", "database-quick"),
        path=("nobody-polls", "tasks-wait", "work-stops"),
        tells=(TellApart("workers-silent", "workers/misrouted"),),
        brings=("workers/down", "workers/undersized", "monitoring/not_visible"),
        action="Start the workers again, as many as ran before, and see that they poll."),
    Cause(Component.WORKERS, Kind.MISROUTED, "the workers poll other task queues than the ones that get work",
        ("workers-reports", "no-steps", "waiting", "slots-free"), slots=3,
        unless=("roles-silent", "database-errs", "frontend-errors"),
        supports=("no-pollers", "pollers-open", "database-quick"), follows=_after("workers/misrouted"),
        path=("polls-elsewhere", "tasks-wait", "work-stops"),
        brings=("workers/undersized",),
        action="Compare the namespace and task queue that workers poll with those that starts name."),
    Cause(Component.WORKERS, Kind.UNDERSIZED, "the workers have too few slots or processes for the load",
        ("workers-reports", "slots-full|demand-rose", "waiting|activities-wait", "held-as-before"), slots=3,
        unless=("no-steps", "roles-silent", "database-errs", "workers-lost"),
        supports=("demand-rose", "slots-full", "closings-kept"), against=("closings-behind",), follows=_after("workers/undersized"),
        brings=("workers/down",),
        path=("capacity-short", "tasks-wait", "work-slows"),
        action="Add worker processes while slots are full; take none away."),
    Cause(Component.WORKERS, Kind.DOWN, "a worker process is gone while others go on",
        ("workers-fewer",), unless=("workers-silent",), supports=("waiting", "slots-full", "closings-behind"),
        path=("one-fewer", "users-spared"), structural=True,
        action="See whether the missing worker process was stopped on purpose; start it again if not."),
    Cause(Component.WORKERS, Kind.RESTARTING, "the workers are started again and again",
        ("workers-returns",), supports=("waiting", "closings-behind"),
        path=("one-fewer", "tasks-wait", "work-slows"), structural=True, slots=1,
        brings=("workers/absent", "workers/down", "workers/misrouted", "monitoring/not_visible"),
        action="Find out why the workers end before they are started again: exit codes, memory limits, health checks."),
    Cause(Component.ACTIVITIES, Kind.SLOW, "activities take far longer than before and fill the slots of the workers",
        ("activity-slots-full", "closings-behind", "held-longer"),
        unless=("roles-silent", "database-errs", "workers-silent"),
        supports=("activities-wait", "database-quick", "steps-done"),
        path=("activities-hang", "slots-full", "tasks-wait", "work-stops"),
        brings=("workers/undersized",),
        action="Look at what the activities call; give them a start-to-close timeout, and take no worker away while slots are full."),
    Cause(Component.ACTIVITIES, Kind.FAILING, "activities fail, and their workflows with them",
        ("no-success", "closings-keep-up"), unless=("activities-succeed", "housekeeping", "database-errs"),
        supports=("activities-fail", "database-quick"),
        path=("calls-fail", "no-success"),
        action="Look at the failures of the activities and at what they call; hold new starts back if their work is lost."),
    Cause(Component.WORKFLOWS, Kind.FAILING, "workflows end without success by their own code",
        ("no-success", "closings-keep-up", "activities-succeed"), unless=("housekeeping", "database-errs"),
        path=("code-fails", "no-success"), tells=(TellApart("activities-succeed", "activities/failing"),),
        action="Compare the workflow code that runs with the version before; roll workers back if it changed."),
    # --- the server's own services --------------------------------------------------------------
    _down("frontend", Component.FRONTEND, "no-entry"),
    _down("history", Component.HISTORY, "history-silent"),
    _down("matching", Component.MATCHING, "no-dispatch"),
    _restarting("frontend", Component.FRONTEND),
    _restarting("history", Component.HISTORY),
    _restarting("matching", Component.MATCHING),
    Cause(Component.FRONTEND, Kind.THROTTLED, "calls are turned away at the server's rate limits",
        ("rate-limited",), supports=("demand-rose", "log-rate-limited", "closings-behind"),
        unless=("roles-silent",), path=("calls-turned-away", "work-slows"),
        brings=("workers/absent", "workers/misrouted"),
        action="See which limit turns calls away and who calls so often before any limit is raised."),
    Cause(Component.HISTORY, Kind.MOVING, "shards move between history processes again and again",
        ("shards-moved", "roles-report"), supports=("transitions-slow", "frontend-errors"),
        path=("shards-reload", "transitions-slow", "work-slows"), follows=("history/down", "history/restarting"),
        action="Let deployments and autoscaling of history come to rest; see that its processes keep seeing each other."),
    Cause(Component.HISTORY, Kind.SKEWED, "one shard gets far more load than the others",
        ("hot-shard", "transitions-slow|closings-behind"), supports=("races-lost",), slots=3,
        path=("hot-shard", "transitions-slow", "work-slows"), follows=_LEAVES_A_BACKLOG,
        action="Find the workflow or namespace that gets the calls; slow its caller down."),
    Cause(Component.HISTORY, Kind.BACKLOGGED_BY_HOUSEKEEPING, "mass deletions take the turns of users' work",
        ("housekeeping", "history-behind|transitions-slow|closings-behind"), unless=("roles-silent", "database-errs"),
        path=("housekeeping-first", "queues-fall-behind", "work-slows"), follows=_LEAVES_A_BACKLOG,
        action="Let the deletion finish or pause it; start no second one beside it."),
    # --- the database ---------------------------------------------------------------------------
    Cause(Component.DATABASE, Kind.SLOW, "the database answers slowly",
        ("database-slow", "closings-behind|transitions-slow|database-errs"), unless=("database-fails",),
        supports=("database-errs", "pool-full", "transitions-slow", "log-deadlines"),
        follows=_after("database/slow"),
        path=("calls-slow", "transitions-slow", "work-stops"), brings=("network/unreachable", "history/skewed"),
        action="Look at the database: load, locks, and the way to it; restart no server process, each would load its shards through the same database."),
    Cause(Component.DATABASE, Kind.DOWN, "the database refuses or drops calls",
        ("database-fails",), supports=("log-refused", "log-database-gone", "frontend-errors", "database-errs"),
        path=("calls-refused", "starts-refused", "work-stops"), slots=1,
        brings=("database/slow", "network/unreachable", "workers/misrouted", "history/moving"),
        action="See whether the database takes connections from the server's network; the server recovers by itself once it does."),
    Cause(Component.DATABASE, Kind.CONNECTIONS_EXHAUSTED, "the server finds no free database connection",
        ("log-no-connection", "database-errs"), supports=("pool-full", "log-database-gone", "frontend-errors"),
        path=("no-connection", "calls-refused", "work-slows"), structural=True, slots=1,
        tells=(TellApart("log-no-connection", "database/down"),),
        brings=("database/down", "database/slow", "network/unreachable"),
        action="Find out who holds the connections; free those that are not the server's, and raise no pool above the database's limit."),
    Cause(Component.DATABASE, Kind.CONTENDED, "transactions lose races and are made again",
        ("conflicts|log-serialization", "database-slow|transitions-slow|closings-behind"), supports=("races-lost", "hot-shard"),
        path=("transactions-lost", "transitions-slow", "work-slows"), brings=("database/slow",),
        action="Find what writes the same rows at once, such as many signals to one workflow, and have it slow down."),
    Cause(Component.DATABASE, Kind.THROTTLED, "the database turns connections or calls away at its rate limit",
        ("log-rate-limited", "database-errs"), supports=("pool-full",),
        path=("calls-turned-away", "calls-refused", "work-slows"), brings=("database/down", "database/slow"),
        action="Lower the rate at which connections are opened; start processes one after the other."),
    # --- around the cluster ---------------------------------------------------------------------
    Cause(Component.NETWORK, Kind.UNREACHABLE, "the server's processes run but cannot reach each other",
        ("roles-report", "frontend-errors|polls-fail", "log-deadlines|log-refused|log-no-hosts", "database-works"), slots=3,
        tells=(TellApart("log-refused", ""),),
        path=("calls-between-fail", "starts-refused", "work-stops"), follows=_after("network/unreachable"),
        action="Check the network between frontend, history and matching: security groups, DNS, membership addresses."),
    Cause(Component.HOST, Kind.OVERLOADED, "the machines of the server have no core to spare",
        ("collector-pauses", "database-slow", "transitions-slow"), unless=("roles-silent", "database-fails"),
        supports=("closings-behind", "pool-full", "log-deadlines"), follows=_after("host/overloaded"),
        tells=(TellApart("collector-pauses", "database/slow"),),
        path=("everything-slow", "work-slows"), brings=("database/slow", "workers/undersized", "network/unreachable"),
        action="See what else runs on the server's machines and stop or move that; give the server cores of its own."),
    Cause(Component.MONITORING, Kind.NOT_VISIBLE, "metrics cannot be read; the cluster may be fine",
        ("roles-silent|workers-silent|roles-unreadable", "work-goes-on|all-unseen"), supports=("roles-unreadable",),
        path=("blind", "users-spared"), structural=True, follows=(*_DOWN, "workers/absent", *_RESTARTING),
        action="Repair the way of the metrics first: scrape targets, network, credentials; change nothing in the cluster meanwhile."),
)  # fmt: skip

CAUSE: Final[Mapping[str, Cause]] = MappingProxyType({c.key: c for c in CAUSES})
"""By `component/kind`."""


GRAPH_DIGEST: Final = hashlib.sha256(
    orjson.dumps(
        [[[t.sign, t.rather_than] for t in c.tells] for c in CAUSES]
        + [[c.structural, c.slots] for c in CAUSES]
        + [
            [c.key, c.must, c.unless, c.supports, c.against, c.brings, c.follows, c.path]
            for c in CAUSES
        ]
    )
).hexdigest()[:16]
"""Names these tables in every ranking: 16 hexadecimal digits."""
