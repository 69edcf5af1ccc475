"""Server-sent events: the log as it grows, of one cluster or of all."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Annotated, Any, Final

import structlog
from fastapi import APIRouter, Header, Query
from sse_starlette import EventSourceResponse, ServerSentEvent
from sse_starlette.sse import SendTimeoutError
from starlette.types import Receive, Scope, Send

from copilot_api import cursors
from copilot_api.call import Call, Called
from copilot_api.deps import Deps
from copilot_api.following import SEND_TIMEOUT_S, Following
from copilot_api.parameters import Cluster, check_types
from copilot_core.errors import Rejected
from copilot_core.events import EVENT_TYPES, STREAM_KINDS
from copilot_eventlog.protocol import EventLog

router = APIRouter(prefix="/v1", tags=["log"])
logger = structlog.get_logger(__name__)

FROM_START: Final = "start"
FROM_NOW: Final = "now"
RECONNECT_MS: Final = 2000

LastEventId = Annotated[
    str | None,
    Header(
        alias="Last-Event-ID",
        max_length=cursors.MAX_CURSOR_CHARS,
        description="`id` of the last message received; goes before `after`",
    ),
]
After = Annotated[
    str,
    Query(
        max_length=cursors.MAX_CURSOR_CHARS,
        description="`now`: new events only; `start`: all of them; or the `id` of a message",
    ),
]
Types = Annotated[
    list[str],
    Query(
        alias="type",
        max_length=len(EVENT_TYPES),
        description="only events of this type; may be repeated",
    ),
]
DOCUMENTED: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "Messages whose `event` is an event type, whose `id` is a cursor and whose "
        "`data` is an EventRow. A message `problem` says that the store is away. Comments are "
        "heartbeats.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}


@router.get("/stream", response_class=EventSourceResponse, responses=DOCUMENTED)
async def all_events(
    call: Called,
    last_event_id: LastEventId = None,
    after: After = FROM_NOW,
    types: Types = [],  # noqa: B006 - FastAPI copies defaults
) -> EventSourceResponse:
    """Events of all clusters as they are recorded; resumes behind `Last-Event-ID`."""
    start = last_event_id or after
    if start == FROM_START:
        cursor = {}
    elif start == FROM_NOW:
        cursor = await call.read(_ends_of_shards(call.deps.log))
    else:
        cursor = cursors.read(start)
    return _stream(call, cursor, all_shards=True, types=types)


@router.get("/clusters/{cluster}/stream", response_class=EventSourceResponse, responses=DOCUMENTED)
async def cluster_events(
    cluster: Cluster,
    call: Called,
    last_event_id: LastEventId = None,
    after: After = FROM_NOW,
    types: Types = [],  # noqa: B006 - FastAPI copies defaults
) -> EventSourceResponse:
    """Events about one cluster as they are recorded; resumes behind `Last-Event-ID`.

    With `type=TransitionExplained`, a message comes with the words of the rules about a second
    after a transition (`data.revision` 1), and another one when a model's are there (2). With
    `type=CausesRanked`, one whenever the ranking of causes changes.
    """
    places = [f"{kind}/{cluster}" for kind in STREAM_KINDS]
    ends = await call.read(_ends_of_streams(call.deps.log, places))
    if not any(ends.values()):
        raise Rejected(f"nothing was ever recorded about {cluster!r}", code="unknown_cluster")
    start = last_event_id or after
    if start == FROM_NOW:
        cursor = ends
    else:
        behind = {} if start == FROM_START else cursors.read(start, places=places)
        cursor = {place: behind.get(place, 0) for place in places}
    return _stream(call, cursor, all_shards=False, types=types)


async def _ends_of_shards(log: EventLog) -> dict[str, int]:
    heads = [await log.head(shard) for shard in await log.shards()]
    return {cursors.shard_place(h.shard): h.next_position - 1 for h in heads if h is not None}


async def _ends_of_streams(log: EventLog, places: list[str]) -> dict[str, int]:
    last = {p: await log.read_stream(p, limit=1, newest_first=True) for p in places}
    return {place: events[0].version if events else 0 for place, events in last.items()}


def _stream(
    call: Call, cursor: cursors.Cursor, *, all_shards: bool, types: list[str]
) -> EventSourceResponse:
    check_types(types, EVENT_TYPES)
    following = Following(
        call.deps.log, call.deps.store, call.deps.watch,
        cursor=cursor, all_shards=all_shards, types=types, instance=call.path,
    )  # fmt: skip
    call.deps.seats.take()
    return _Seated(call.deps, _opened(cursor, following))


async def _opened(cursor: cursors.Cursor, following: Following) -> AsyncGenerator[ServerSentEvent]:
    # The first message has no data, so clients do not show it; it tells where the stream begins,
    # so that a client cut off before the first event resumes without loss.
    yield ServerSentEvent(id=cursors.write(cursor), retry=RECONNECT_MS)
    async for message in following.messages():
        yield message


class _Seated(EventSourceResponse):
    """An event stream that gives its seat back however it ends."""

    def __init__(self, deps: Deps, messages: AsyncGenerator[ServerSentEvent]) -> None:
        self._seats = deps.seats
        super().__init__(
            messages,
            ping=deps.heartbeat_s,
            ping_message_factory=lambda: ServerSentEvent(comment="heartbeat"),
            send_timeout=SEND_TIMEOUT_S,
            sep="\n",
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except* SendTimeoutError:  # from the messages, the heartbeat, or both at once
            logger.info("cut off a client that takes nothing", path=scope["path"])
        finally:
            self._seats.leave()
