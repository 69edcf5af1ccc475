"""The raw log, page by page: of a shard by position, or of a stream by version."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Query

from copilot_api import cursors
from copilot_api.caching import IMMUTABLE, REVALIDATE
from copilot_api.call import Called
from copilot_api.event_rows import EventRow, row_of
from copilot_api.parameters import Cursor
from copilot_core.errors import Rejected
from copilot_core.events import STREAM_KINDS
from copilot_core.samples import CLUSTER_ID

router = APIRouter(prefix="/v1", tags=["log"])

MAX_EVENTS: Final = 1000
"""About 1 MB of answer: a sample's event is 1 kB."""

STREAM_PATTERN: Final = rf"^({'|'.join(STREAM_KINDS)})/{CLUSTER_ID.pattern}$"


Shard = Annotated[int | None, Query(ge=0, lt=2**31, description="read this shard by position")]
Stream = Annotated[
    str | None, Query(pattern=STREAM_PATTERN, description="read this stream by version")
]
EventLimit = Annotated[int, Query(ge=1, le=MAX_EVENTS, description="events on one page")]


@router.get("/events")
async def events(
    call: Called,
    shard: Shard = None,
    stream: Stream = None,
    cursor: Cursor = None,
    limit: EventLimit = 100,
) -> list[EventRow]:
    """Recorded events in order, from the beginning or behind a cursor.

    Name either a shard or a stream. The header `Link` with `rel="next"` is always there: behind the
    last event it leads to those that are yet to come. A full page never changes, and says so.
    """
    log = call.deps.log
    if shard is not None and stream is None:
        after = _behind(cursor, place := cursors.shard_place(shard), start=-1)
        page = await call.read(log.read(shard, after=after, limit=limit))
        after = page[-1].position if page else after
    elif stream is not None and shard is None:
        after = _behind(cursor, place := stream, start=0)
        page = await call.read(log.read_stream(stream, after=after, limit=limit))
        after = page[-1].version if page else after
    else:
        raise Rejected("name either shard or stream", code="invalid_parameter")
    control = IMMUTABLE if len(page) == limit else REVALIDATE
    call.revalidate(place, after, len(page), control=control)
    call.next_page(cursor=cursors.write({place: after}))
    return [row_of(event) for event in page]


def _behind(cursor: str | None, place: str, *, start: int) -> int:
    return start if cursor is None else cursors.read(cursor, places=[place])[place]
