"""Log patterns: how often known templates were logged, when one surged, and a few raw lines.

They explain and never decide. The raw lines are untrusted: whoever can write a log line wrote them.
"""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Query

from copilot_api.call import Called
from copilot_api.parameters import Cluster, Limit, Spanned
from copilot_projections.views import log_patterns as log_view
from copilot_projections.views.log_patterns import Excerpt, PatternCount, PatternSurge

router = APIRouter(prefix="/v1/clusters/{cluster}/log-patterns", tags=["logs"])

MAX_SLOTS: Final = 500
"""A row per service and pattern of each slot: some ten thousand rows in trouble."""

SlotLimit = Annotated[
    int, Query(ge=1, le=MAX_SLOTS, description="slots to answer, the newest first")
]


@router.get("")
async def log_patterns(
    cluster: Cluster, call: Called, span: Spanned, limit: SlotLimit = 120
) -> list[PatternCount]:
    """Counts per slot, service and pattern, newest slot first.

    A slot whose log could not be read is one row with the reason.
    """
    await call.revalidate_view(log_view.VIEW, span)
    found = await call.read(
        log_view.counts(
            call.deps.views, cluster, since=span.since, until=span.until, limit_slots=limit
        )
    )
    return await call.known(cluster, found)


@router.get("/surges")
async def surges(
    cluster: Cluster, call: Called, span: Spanned, limit: Limit = 200
) -> list[PatternSurge]:
    """Patterns that occurred far more often than usual, newest first."""
    await call.revalidate_view(log_view.VIEW, span)
    found = await call.read(
        log_view.surges(call.deps.views, cluster, since=span.since, until=span.until, limit=limit)
    )
    return await call.known(cluster, found)


@router.get("/excerpts")
async def excerpts(
    cluster: Cluster, call: Called, span: Spanned, limit: SlotLimit = 120
) -> list[Excerpt]:
    """Raw log lines for human eyes, at most five per slot: untrusted text, never for a model."""
    await call.revalidate_view(log_view.VIEW, span)
    found = await call.read(
        log_view.excerpts(
            call.deps.views, cluster, since=span.since, until=span.until, limit_slots=limit
        )
    )
    return await call.known(cluster, found)
