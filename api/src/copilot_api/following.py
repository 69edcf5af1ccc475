"""Event streams: the log, read on as it grows, for one client.

Theory of operation. The log itself is the queue. A client's stream is a loop that reads a page
behind its cursor and sends it; the next page is read when the client has taken this one. So a slow
client is held back by its own connection, costs a page per place, misses nothing and doubles
nothing; one that takes nothing at all for `SEND_TIMEOUT_S` is cut off and resumes where it was. The
`id` of each message is the cursor behind it: a client that comes back with it as `Last-Event-ID`
reads on from there, in this process or in another.

While the store is away, a stream says so once, in a message `problem` without an id, and goes on
when the store is back. Order is that of the log: by position within a shard, by version within a
stream; there is none across them.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection
from typing import Final

import orjson
from sse_starlette import ServerSentEvent

from copilot_api import cursors
from copilot_api.event_rows import row_of
from copilot_api.problems import problem_of
from copilot_api.store import Store
from copilot_api.watch import Watch
from copilot_core.errors import Unavailable
from copilot_core.events import RecordedEvent
from copilot_eventlog.protocol import EventLog

PAGE: Final = 200
SEND_TIMEOUT_S: Final = 30.0
LOOK_AGAIN_S: Final = 60.0
"""A stream that nobody wakes looks by itself once a minute."""


class Following:
    """Reads the log on behind a cursor, for one client.

    `instance` is the path asked for, repeated in problems. With `all_shards`, shards that appear
    later are followed from their beginning; otherwise the places are those of the cursor, for ever.
    """

    def __init__(
        self,
        event_log: EventLog,
        store: Store,
        watch: Watch,
        *,
        cursor: cursors.Cursor,
        all_shards: bool,
        types: Collection[str],
        instance: str,
    ) -> None:
        self._log = event_log
        self._store = store
        self._watch = watch
        self._cursor = dict(cursor)
        self._all_shards = all_shards
        self._types = frozenset(types)
        self._instance = instance

    async def messages(self) -> AsyncGenerator[ServerSentEvent]:
        """Messages for as long as the client stays and the process lives."""
        away = False
        while not self._watch.closed:
            generation = self._watch.generation
            try:
                pages = [
                    page for place in await self._places() if (page := await self._page(place))
                ]
                away = False
            except Unavailable as e:
                pages = []
                if not away:
                    yield _problem(e, self._instance)
                away = True
            for page in pages:
                for event in page:
                    self._advance(event)
                    if not self._types or event.type in self._types:
                        yield self._message(event)
            if not pages:
                await self._watch.moved(generation, within_s=LOOK_AGAIN_S)

    async def _places(self) -> list[str]:
        if not self._all_shards:
            return sorted(self._cursor)
        places = [cursors.shard_place(s) for s in await self._store.read(self._log.shards())]
        for place in places:
            self._cursor.setdefault(place, -1)
        return places  # and no others, whatever shards a cursor speaks of

    async def _page(self, place: str) -> list[RecordedEvent]:
        after = self._cursor[place]
        if self._all_shards:
            shard = int(place.partition("/")[2])
            return await self._store.read(self._log.read(shard, after=after, limit=PAGE))
        return await self._store.read(self._log.read_stream(place, after=after, limit=PAGE))

    def _advance(self, event: RecordedEvent) -> None:
        if self._all_shards:
            self._cursor[cursors.shard_place(event.shard)] = event.position
        else:
            self._cursor[event.stream] = event.version

    def _message(self, event: RecordedEvent) -> ServerSentEvent:
        return ServerSentEvent(
            orjson.dumps(row_of(event).model_dump(mode="json")).decode(),
            event=event.type,
            id=cursors.write(self._cursor),
        )


def _problem(error: Unavailable, instance: str) -> ServerSentEvent:
    body = problem_of(error, instance=instance).model_dump()
    return ServerSentEvent(orjson.dumps(body).decode(), event="problem")
