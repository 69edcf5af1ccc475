"""The book of an event, read from the log.

Theory of operation. `copilot_core.book` says what belongs into a book; here only those events are
fetched, at most as many as it keeps of each stream. Streams are dense in versions and in order of
slots, so the newest page is nearly always the right one; for an event of the past the end is found
by halving: some twenty small reads for a million events.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from copilot_core.book import MAX_FACTS, Book, book_of
from copilot_core.events import RecordedEvent
from copilot_eventlog.protocol import EventLog

SLOT_EVENTS: Final = 64
"""Events decided with one sample at the most, with room to spare: a verdict, a transition, sight,
bottleneck, one event per service, a ranking."""
KEPT: Final = 8
"""Books that one process keeps: 2 MB each, decoded."""


@dataclass(frozen=True, slots=True)
class ReadBook:
    """A book and the event that it is about, as the log holds it."""

    book: Book
    explained: RecordedEvent


async def read_book(log: EventLog, cluster: str, explains: UUID, *, at: int) -> ReadBook:
    """The book of an event of the health stream, whose slot is `at`.

    Raises `Rejected` (code `unknown_event`) when the log has no such event, `Unavailable` when it
    does not answer.
    """
    health = await _newest(
        log,
        f"health/{cluster}",
        MAX_FACTS["health"] + SLOT_EVENTS,
        later=lambda e: e.occurred_at.timestamp() > at,
    )
    end = health[-1] if health else None

    def after_the_end(event: RecordedEvent) -> bool:
        return end is not None and (event.shard != end.shard or event.position > end.position)

    logs, config = await asyncio.gather(
        _newest(log, f"logs/{cluster}", MAX_FACTS["logs"], later=after_the_end),
        _newest(
            log,
            f"config/{cluster}",
            MAX_FACTS["config"],
            later=lambda e: e.occurred_at.timestamp() > at,
        ),
    )
    book = book_of((*health, *logs, *config), cluster=cluster, explains=explains)
    return ReadBook(book, next(e for e in health if e.event_id == explains))


async def _newest(
    log: EventLog, stream: str, count: int, *, later: Callable[[RecordedEvent], bool]
) -> list[RecordedEvent]:
    """The newest `count` events of a stream that are not `later`, in order.

    `later` is false for a beginning of the stream and true for the rest.
    """
    page = (await log.read_stream(stream, limit=count, newest_first=True))[::-1]
    if not page or not later(page[-1]):
        return page
    if page[0].version > 1 and later(page[0]):
        end = await _end(log, stream, page[0].version, later)
    else:
        end = max((e.version for e in page if not later(e)), default=0)
    return (
        await log.read_stream(stream, after=max(0, end - count), limit=min(count, end))
        if end
        else []
    )


async def _end(
    log: EventLog, stream: str, below: int, later: Callable[[RecordedEvent], bool]
) -> int:
    """The version of the last event that is not later; 0 for none. Version `below` is later."""
    low, high = 0, below
    while high - low > 1:
        middle = (low + high) // 2
        probe = await log.read_stream(stream, after=middle - 1, limit=1)
        if later(probe[0]):
            high = middle
        else:
            low = middle
    return low


class LogBooks:
    """Books of a log, the last few of them kept: the agents' tools ask for one again and again."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._kept: dict[tuple[str, UUID], ReadBook] = {}

    async def read(self, cluster: str, explains: UUID, *, at: int) -> ReadBook:
        """See `read_book`."""
        key = (cluster, explains)
        found = self._kept.get(key) or await read_book(self._log, cluster, explains, at=at)
        self._kept = dict([*self._kept.items(), (key, found)][-KEPT:])
        return found

    async def book(self, cluster: str, explains: UUID, *, at: int) -> Book:
        """See `read_book`."""
        return (await self.read(cluster, explains, at=at)).book
