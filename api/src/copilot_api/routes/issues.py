"""Issues: what is wrong with a cluster now, first things first."""

from __future__ import annotations

from fastapi import APIRouter

from copilot_api.call import Called
from copilot_api.currency import StatusAnswer
from copilot_api.parameters import Cluster
from copilot_core.errors import Rejected
from copilot_projections.issues import Issue, open_issues
from copilot_projections.views import status as status_view

router = APIRouter(prefix="/v1", tags=["explanations"])


@router.get("/clusters/{cluster}/issues")
async def issues(cluster: Cluster, call: Called) -> list[Issue]:
    """Open problems in the order in which to look at them: causes, gates, and what cannot be seen.

    An empty list means that nothing the rules look for is wrong, in full sight, now: a status that
    is too old to speak for now is an issue itself.
    """
    full = await call.read(status_view.current(call.deps.views, cluster))
    if full is None:
        raise Rejected(f"no sample of {cluster!r} was ever recorded", code="unknown_cluster")
    dated = StatusAnswer.of(full, None, asked_at=call.now, read_at=call.now, stale=False)
    call.revalidate(full.shard, full.position, dated.current)
    return list(open_issues(full, outdated="" if dated.current else dated.currency))
