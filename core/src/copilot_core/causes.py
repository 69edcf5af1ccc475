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
from dataclasses import dataclass
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
class Weighted:
    """A sign and how much it counts."""

    sign: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class TellApart:
    """What must be visible to tell a cause from another one (`component/kind`, empty: from none)."""

    signal: str
    rather_than: str


@dataclass(frozen=True, slots=True)
class Cause:
    """One row.

    `must` are signs without which there is no such cause. `supports` add to its score, `against`
    take from it, a sign that was not seen does neither. `tells` name what has to be visible; where
    it is not, the answer is that it cannot be told. `brings` are causes whose signs this one brings
    along: beside it they are no causes of their own. `structural` marks a cause that is seen in the
    installation itself and needs no impaired progress to be one. `slots` is how many slots it must
    have been seen in. `says` is the cause in words, the end of "The likeliest cause is that …".
    """

    component: Component
    kind: Kind
    says: str
    must: tuple[str, ...]
    supports: tuple[Weighted, ...]
    against: tuple[Weighted, ...]
    path: tuple[str, ...]
    action: str
    tells: tuple[TellApart, ...] = ()
    brings: tuple[str, ...] = ()
    structural: bool = False
    slots: int = 2

    @property
    def key(self) -> str:
        """`component/kind`."""
        return f"{self.component}/{self.kind}"

    @property
    def runbook(self) -> str:
        """The page of `docs/rag/` about it."""
        return f"{self.component}-{self.kind}".replace("_", "-")
