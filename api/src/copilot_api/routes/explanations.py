"""Explanations: what was said of transitions, incidents and states, and what proves it."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query

from copilot_api.call import Called
from copilot_api.parameters import Cluster, Cursor, Limit, Spanned, check_types
from copilot_core.errors import Rejected
from copilot_projections.explained import Explained, ExplanationLine
from copilot_projections.views import explanations as explanations_view
from copilot_projections.views.explanations import TYPES

router = APIRouter(prefix="/v1/clusters/{cluster}/explanations", tags=["explanations"])

Types = Annotated[
    list[str],
    Query(
        alias="type",
        max_length=len(TYPES),
        description=f"only these, may be repeated: {', '.join(sorted(TYPES))}",
    ),
]
Event = Annotated[
    str,
    Path(
        pattern=r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$",
        description="id of the event that is explained, `event_id` of the timeline",
    ),
]


@router.get("")
async def explanations(
    cluster: Cluster,
    call: Called,
    span: Spanned,
    types: Types = [],  # noqa: B006 - FastAPI copies defaults
    cursor: Cursor = None,
    limit: Limit = 100,
) -> list[ExplanationLine]:
    """What was said of a cluster, newest first, each in the words in force.

    Those are a model's where it was asked in time and the log proved what it said, else the rules'.
    `GET /v1/clusters/{cluster}/stream?type=TransitionExplained` tells when there are better ones.
    """
    check_types(types, TYPES)
    await call.revalidate_view(explanations_view.VIEW, span)
    page = await call.read(
        explanations_view.page(
            call.deps.views, cluster, since=span.since, until=span.until,
            types=types or TYPES, before=cursor, limit=limit,
        )
    )  # fmt: skip
    if page.next_before:
        call.next_page(cursor=page.next_before, **span.parameters())
    return await call.known(cluster, list(page.explanations))


@router.get("/{event}")
async def explanation(
    cluster: Cluster,
    event: Event,
    call: Called,
    types: Types = [],  # noqa: B006 - FastAPI copies defaults
) -> Explained:
    """What was said of one event, sentence by sentence, each with the events that prove it.

    The words in force, and every wording there is. Of a transition that ended an incident, what it
    led to; with `type=IncidentReviewed`, the review of the incident.
    """
    check_types(types, TYPES)
    await call.revalidate_view(explanations_view.VIEW)
    found = await call.read(
        explanations_view.of_event(call.deps.views, cluster, UUID(event), types=types or TYPES)
    )
    if found is None:
        await call.known(cluster, [])
        raise Rejected(f"nothing was said of event {event}", code="not_explained")
    return found
