"""Timeline: everything that changed, newest first, each entry with its reasons."""

from __future__ import annotations

from fastapi import APIRouter

from copilot_api.call import Call, Called
from copilot_api.parameters import Cluster, Cursor, EntryTypes, Limit, Span, Spanned
from copilot_projections.views import timeline as timeline_view
from copilot_projections.views.timeline import TimelineEntry

router = APIRouter(prefix="/v1", tags=["history"])


@router.get("/timeline")
async def timeline_of_all(
    call: Called, span: Spanned, types: EntryTypes, cursor: Cursor = None, limit: Limit = 200
) -> list[TimelineEntry]:
    """What changed in all clusters, newest first."""
    return await _entries(call, None, span, types=types, cursor=cursor, limit=limit)


@router.get("/clusters/{cluster}/timeline")
async def timeline(
    cluster: Cluster,
    call: Called,
    span: Spanned,
    types: EntryTypes,
    cursor: Cursor = None,
    limit: Limit = 200,
) -> list[TimelineEntry]:
    """What changed in one cluster, newest first: transitions, sight, services, bottleneck, …"""
    found = await _entries(call, cluster, span, types=types, cursor=cursor, limit=limit)
    return await call.known(cluster, found)


async def _entries(
    call: Call,
    cluster: str | None,
    span: Span,
    *,
    types: frozenset[str],
    cursor: str | None,
    limit: int,
) -> list[TimelineEntry]:
    await call.revalidate_view(timeline_view.VIEW, span)
    page = await call.read(
        timeline_view.page(
            call.deps.views, cluster=cluster, since=span.since, until=span.until,
            types=types, before=cursor, limit=limit,
        )
    )  # fmt: skip
    if page.next_before:
        call.next_page(cursor=page.next_before, **span.parameters())
    return list(page.entries)
