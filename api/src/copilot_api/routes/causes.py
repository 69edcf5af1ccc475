"""Causes: which ones explain what was seen, from when to when."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from copilot_api.call import Called
from copilot_api.instants import When
from copilot_api.parameters import Cluster, Limit
from copilot_projections.rankings import Ranking
from copilot_projections.views import causes as causes_view

router = APIRouter(prefix="/v1", tags=["explanations"])

Until = Annotated[When | None, Query(description="rankings made before this; default all")]


@router.get("/clusters/{cluster}/causes")
async def causes(
    cluster: Cluster, call: Called, until: Until = None, limit: Limit = 100
) -> list[Ranking]:
    """Rankings of causes, newest first; the first one is in force, or was at `until`.

    Empty for a cluster that was never in trouble. A ranking without causes says that none is known
    from then on; what could not be told, and for want of which signal, stands in `cannot_tell`.
    """
    await call.revalidate_view(causes_view.VIEW)
    found = await call.read(
        causes_view.rankings(call.deps.views, cluster, until=until, limit=limit)
    )
    if len(found) == limit:
        call.next_page(until=str(found[-1].at_ms // 1000))
    return await call.known(cluster, found)
