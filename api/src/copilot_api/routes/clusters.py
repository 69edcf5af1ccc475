"""Clusters: the list of all, and the full status of one, now or at a past instant.

These two still answer when the store is away: with what was last read, marked `stale`, dated by
`read_at` and `age_s`. Every other route answers 503 then, because half an old list misleads more
than none.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from copilot_api.call import Call, Called
from copilot_api.currency import ClusterLine, StatusAnswer
from copilot_api.instants import When, rfc3339
from copilot_api.last_known import said_of
from copilot_api.parameters import Cluster, Limit
from copilot_core.errors import Rejected, Unavailable
from copilot_core.samples import MAX_FUTURE_S
from copilot_projections import as_of
from copilot_projections.views import clusters as clusters_view
from copilot_projections.views import status as status_view

router = APIRouter(prefix="/v1/clusters", tags=["clusters"])

After = Annotated[str, Query(max_length=63, description="clusters behind this id")]
PastInstant = Annotated[When | None, Query(alias="at", description="a past instant; default now")]


@router.get("")
async def clusters(call: Called, after: After = "", limit: Limit = 500) -> list[ClusterLine]:
    """All clusters that the log has heard of, by id, one line each.

    While the database is away: the last known lines, `stale`, on one page.
    """
    try:
        found = await call.read(clusters_view.page(call.deps.views, after=after, limit=limit))
    except Unavailable:
        known = call.deps.last_known.clusters
        if known is None:
            raise
        call.not_to_be_kept()
        return [
            ClusterLine.of(c, asked_at=call.now, read_at=known.read_at, stale=True)
            for c in known.clusters
        ]
    lines = [ClusterLine.of(c, asked_at=call.now, read_at=call.now, stale=False) for c in found]
    call.revalidate(
        after, limit, [(c.cluster, c.shard, c.position, c.since_ms, c.current) for c in lines]
    )
    if len(found) == limit:
        call.next_page(after=found[-1].cluster)
    return lines


@router.get("/{cluster}/status")
async def status(cluster: Cluster, call: Called, at: PastInstant = None) -> StatusAnswer:
    """Everything that is believed of a cluster: what, since when, how sure, why, and what to do.

    Look at `current` before you look at `status`: it is false when the newest slot is older than
    two intervals, and `evidence` reads `blind` then. `causes` and `explanation` decide nothing; the
    words are there about a second after the status has changed. With `at`, what was believed at
    that instant, composed from the log; `explanation` is then the wording in force now of what had
    been decided by then, and may have been recorded later. While the database is away: the last
    known status, `stale`.
    """
    answer = await _now(call, cluster) if at is None else await _then(call, cluster, at)
    if answer.stale:
        call.not_to_be_kept()
    else:
        said = answer.explanation
        words = (said.shard, said.position) if said else None
        call.revalidate(at, answer.shard, answer.position, answer.current, words)
    return answer


async def _now(call: Call, cluster: str) -> StatusAnswer:
    last_known = call.deps.last_known
    try:
        full = await call.read(status_view.current(call.deps.views, cluster))
    except Unavailable:
        known = last_known.status(cluster)
        if known is None:
            raise
        return StatusAnswer.of(
            known.status, known.explained, asked_at=call.now, read_at=known.read_at, stale=True
        )
    if full is None:
        raise Rejected(f"no sample of {cluster!r} was ever recorded", code="unknown_cluster")
    said = await said_of(full, call.deps.views, call.deps.store)
    last_known.keep(full, said, read_at=call.now)
    return StatusAnswer.of(full, said, asked_at=call.now, read_at=call.now, stale=False)


async def _then(call: Call, cluster: str, at: When) -> StatusAnswer:
    if at > call.now.add(seconds=MAX_FUTURE_S):
        raise Rejected(
            f"at ({rfc3339(at)}) lies in the future; it is {rfc3339(call.now)}",
            code="invalid_parameter",
            todo="leave at out to see what is believed now",
        )
    full = await call.read(as_of.full_status(call.deps.log, cluster, at, views=call.deps.views))
    if full is None:
        raise Rejected(
            f"no sample of {cluster!r} was recorded at or before {rfc3339(at)}",
            code="before_first_event",
        )
    said = await said_of(full, call.deps.views, call.deps.store)
    return StatusAnswer.of(full, said, asked_at=at, read_at=call.now, stale=False)
