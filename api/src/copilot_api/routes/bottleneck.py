"""Bottleneck: who limited progress, from when to when, and why that was said."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from copilot_api.call import Called
from copilot_api.instants import When
from copilot_api.parameters import Cluster, Limit
from copilot_projections.views import bottleneck as bottleneck_view
from copilot_projections.views.bottleneck import BottleneckStretch

router = APIRouter(prefix="/v1", tags=["history"])

Until = Annotated[When | None, Query(description="stretches that began before this; default all")]


@router.get("/clusters/{cluster}/bottleneck")
async def bottleneck(
    cluster: Cluster, call: Called, until: Until = None, limit: Limit = 100
) -> list[BottleneckStretch]:
    """Stretches with one bottleneck each, newest first; the first one is the current one."""
    await call.revalidate_view(bottleneck_view.VIEW)
    found = await call.read(
        bottleneck_view.stretches(call.deps.views, cluster, until=until, limit=limit)
    )
    if len(found) == limit:
        call.next_page(until=str(found[-1].since_ms // 1000))
    return await call.known(cluster, found)
