"""Incidents: from leaving happy to being happy again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from copilot_api.call import Call, Called
from copilot_api.parameters import Cluster, Cursor, Limit, Span, Spanned
from copilot_core.errors import Rejected
from copilot_projections.incident_story import STORY_VIEWS, IncidentStory, story_of
from copilot_projections.views import incidents as incidents_view
from copilot_projections.views.incidents import Incident

router = APIRouter(prefix="/v1", tags=["history"])

OnlyOpen = Annotated[bool, Query(alias="open", description="only incidents that have not ended")]
Began = Annotated[
    int, Path(ge=0, lt=2**40, description="begin of the incident in Unix seconds, as in its `id`")
]


@router.get("/incidents")
async def incidents_of_all(
    call: Called,
    span: Spanned,
    only_open: OnlyOpen = False,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> list[Incident]:
    """Incidents of all clusters that touch the span, newest begin first."""
    return await _incidents(call, None, span, only_open=only_open, cursor=cursor, limit=limit)


@router.get("/clusters/{cluster}/incidents")
async def incidents(
    cluster: Cluster,
    call: Called,
    span: Spanned,
    only_open: OnlyOpen = False,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> list[Incident]:
    """Incidents of one cluster that touch the span, newest begin first."""
    found = await _incidents(call, cluster, span, only_open=only_open, cursor=cursor, limit=limit)
    return await call.known(cluster, found)


@router.get("/clusters/{cluster}/incidents/{began}")
async def incident(cluster: Cluster, began: Began, call: Called) -> IncidentStory:
    """The page of one incident: begin, worst and end, the gates that fired, when the copilot was
    blind, how the causes were ranked, what was said, what was changed before, and all that
    happened, in order."""
    views = call.deps.views
    positions = [await call.read(views.positions(view)) for view in STORY_VIEWS]
    call.revalidate(*positions)
    found = await call.read(incidents_view.one(views, f"{cluster}@{began}"))
    if found is None:
        raise Rejected(f"no incident of {cluster!r} began at {began}", code="unknown_incident")
    return await call.read(story_of(views, found))


async def _incidents(
    call: Call,
    cluster: str | None,
    span: Span,
    *,
    only_open: bool,
    cursor: str | None,
    limit: int,
) -> list[Incident]:
    await call.revalidate_view(incidents_view.VIEW, span)
    page = await call.read(
        incidents_view.page(
            call.deps.views, cluster=cluster, since=span.since, until=span.until,
            only_open=only_open, before=cursor, limit=limit,
        )
    )  # fmt: skip
    if page.next_before:
        call.next_page(cursor=page.next_before, **span.parameters())
    return list(page.incidents)
