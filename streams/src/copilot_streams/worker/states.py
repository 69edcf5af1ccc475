"""Where the fold's states come from: the log and nothing else.

The state of a cluster is its newest snapshot plus the events of its two streams after it. A
snapshot that this program cannot read is no loss: the log alone gives the state back, only later.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import structlog
from whenever import Instant

from copilot_core.errors import Rejected
from copilot_core.fold import ClusterState, evolve, initial
from copilot_eventlog.protocol import EventLog, Snapshot

PAGE: Final = 1000

log_ = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A state, and the health version of the snapshot it was loaded from (0: from none)."""

    state: ClusterState
    snapshot_version: int


async def load(log: EventLog, cluster: str) -> Loaded:
    """The state of a cluster as the log has it; `initial` when it knows nothing of the cluster."""
    state = await _from_snapshot(log, cluster)
    snapshot_version = state.health_version
    state = await _caught_up(log, state, f"health/{cluster}", state.health_version)
    state = await _caught_up(log, state, f"logs/{cluster}", state.logs_version)
    return Loaded(state, snapshot_version)


async def _from_snapshot(log: EventLog, cluster: str) -> ClusterState:
    snapshot = await log.latest_snapshot(f"health/{cluster}")
    if snapshot is None:
        return initial(cluster)
    try:
        return ClusterState.restore(snapshot.payload)
    except Rejected as e:
        log_.warning("snapshot unusable", cluster=cluster, version=snapshot.version, what=e.what)
        return initial(cluster)


async def _caught_up(log: EventLog, state: ClusterState, stream: str, after: int) -> ClusterState:
    while True:
        page = await log.read_stream(stream, after=after, limit=PAGE)
        for event in page:
            state = evolve(state, event)
        if len(page) < PAGE:
            return state
        after = page[-1].version


def snapshot_of(state: ClusterState) -> Snapshot:
    """The snapshot to keep of a state; it belongs to the health stream, at its last event."""
    return Snapshot(
        stream=f"health/{state.cluster}",
        version=state.health_version,
        occurred_at=Instant.from_timestamp(state.last_slot),
        payload=state.snapshot(),
    )
