"""Annotations: what changed, in the shape in which Grafana marks it in its charts."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field

from copilot_api.call import Called
from copilot_api.parameters import Cluster, EntryTypes, Limit, Spanned
from copilot_core.events import ConfigChanged
from copilot_projections.views import timeline as timeline_view
from copilot_projections.views.timeline import TimelineEntry

router = APIRouter(prefix="/v1", tags=["grafana"])


class Annotation(BaseModel):
    """One mark in a chart."""

    time: int = Field(description="milliseconds since 1970")
    title: str
    text: str
    tags: list[str]


@router.get("/clusters/{cluster}/annotations")
async def annotations(
    cluster: Cluster, call: Called, span: Spanned, types: EntryTypes, limit: Limit = 200
) -> list[Annotation]:
    """The newest entries of the timeline as annotations."""
    await call.revalidate_view(timeline_view.VIEW, span)
    page = await call.read(
        timeline_view.page(
            call.deps.views, cluster=cluster, since=span.since, until=span.until,
            types=types, limit=limit,
        )
    )  # fmt: skip
    return await call.known(cluster, [_annotation(entry) for entry in page.entries])


def _annotation(entry: TimelineEntry) -> Annotation:
    change = f"{entry.from_} → {entry.to}" if entry.from_ else entry.to
    return Annotation(
        time=entry.at_ms,
        title=f"{entry.cluster}: {change or entry.type}",
        text="\n".join((entry.summary, *entry.reasons)),
        tags=[entry.cluster, entry.type, *filter(None, (entry.to,)), *_applies(entry)],
    )


def _applies(entry: TimelineEntry) -> list[str]:
    """What the changes of a configuration take: so a chart can show those with restarts alone. The
    first configuration lists every value and is known to change none, so it is `first` alone."""
    if entry.type != ConfigChanged.__name__:
        return []
    if entry.data["previous_fingerprint"] is None:
        return ["first"]
    return sorted({change["apply"] for change in entry.data["changes"]})
