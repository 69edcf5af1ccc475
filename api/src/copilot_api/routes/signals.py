"""Signals: what there is to read, and what was read, slot by slot."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from copilot_api.call import Called
from copilot_api.instants import rfc3339
from copilot_api.parameters import Cluster, Spanned
from copilot_core.signals import SIGNALS, Group, Role
from copilot_projections.views import signals as signals_view
from copilot_projections.views.signals import SignalPoint

router = APIRouter(prefix="/v1", tags=["signals"])

MAX_NAMES: Final = 20
MAX_POINTS: Final = 10_000
"""About 1.2 MB of answer: a day of three signals at 30 s."""

Names = Annotated[
    list[str],
    Query(
        alias="signal",
        min_length=1,
        max_length=MAX_NAMES,
        description=f"a signal's name; may be repeated, {MAX_NAMES} at most",
    ),
]
PointLimit = Annotated[
    int, Query(ge=1, le=MAX_POINTS, description="readings on one page, whole slots only")
]
Shape = Annotated[
    Literal["long", "wide"],
    Query(description="`long`: a row per slot and signal; `wide`: a row per slot"),
]
WideRow = dict[str, Any]


class SignalRow(BaseModel):
    """One row of the signal table."""

    id: str = Field(description="number under which documents and rules speak of the signal")
    name: str
    unit: str
    role: Role = Field(description="whose processes report it")
    group: Group
    decides: bool = Field(description="true when the rules may read it")
    meaning: str


@router.get("/signals")
async def signal_table() -> list[SignalRow]:
    """All signals that there are, in the order in which a sample carries them."""
    return [
        SignalRow(
            id=s.id, name=s.name, unit=s.unit, role=s.role, group=s.group,
            decides=s.decides, meaning=s.meaning,
        )
        for s in SIGNALS
    ]  # fmt: skip


@router.get("/clusters/{cluster}/signals")
async def signals(
    cluster: Cluster,
    names: Names,
    call: Called,
    span: Spanned,
    limit: PointLimit = MAX_POINTS,
    shape: Shape = "long",
) -> list[SignalPoint] | list[WideRow]:
    """Readings of some signals in order of time; a missing one is null, with its reason.

    A `wide` row holds `at`, `at_ms` and a column per signal, without reasons. Readings are kept for
    seven days, and for ever around transitions.
    """
    await call.revalidate_view(signals_view.VIEW, span)
    series = await call.read(
        signals_view.series(
            call.deps.views, cluster,
            names=list(dict.fromkeys(names)), since=span.since, until=span.until, limit=limit,
        )
    )  # fmt: skip
    if series.next_since is not None:
        call.next_page(**{**span.parameters(), "from": rfc3339(series.next_since)})
    points = await call.known(cluster, list(series.points))
    return _wide(points) if shape == "wide" else points


def _wide(points: list[SignalPoint]) -> list[WideRow]:
    rows: dict[int, WideRow] = {}
    for point in points:
        row = rows.setdefault(point.at_ms, {"at": rfc3339(point.at), "at_ms": point.at_ms})
        row[point.signal] = point.value
    return list(rows.values())
