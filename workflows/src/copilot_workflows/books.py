"""The book of an event, read from the log.

Theory of operation. `copilot_core.words.book` says what belongs into a book; here only those events
are fetched, at most as many as it keeps of each stream. Streams are dense in versions and in order
of slots, so the newest page is nearly always the right one; for an event of the past the end is
found by halving: some twenty small reads for a million events.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final
from uuid import UUID

from copilot_core.events import RecordedEvent
from copilot_core.words.book import MAX_FACTS, Book, book_of
from copilot_eventlog.protocol import EventLog

SLOT_EVENTS: Final = 64
"""Events decided with one sample at the most, with room to spare: a verdict, a transition, sight,
bottleneck, one event per service, a ranking."""
HEALTH: Final = MAX_FACTS["health"] + SLOT_EVENTS
KEPT: Final = 8
"""Books that one process keeps: 2 MB each, decoded."""
SHELF_EVENTS: Final = 100_000
"""Of a follower: 150 MB at the most, the books of 170 clusters; others are read again."""


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
    health = await _health(log, cluster, at=at)
    logs, config = await asyncio.gather(
        _logs(log, cluster, end=health[-1] if health else None), _config(log, cluster, at=at)
    )
    return _made(cluster, explains, health, logs, config)


def _made(cluster: str, explains: UUID, *events: Iterable[RecordedEvent]) -> ReadBook:
    known = list(chain(*events))
    book = book_of(known, cluster=cluster, explains=explains)
    return ReadBook(book, next(e for e in known if e.event_id == explains))


async def _health(log: EventLog, cluster: str, *, at: int) -> list[RecordedEvent]:
    return await _newest(log, f"health/{cluster}", HEALTH, later=_after(at))


async def _logs(log: EventLog, cluster: str, *, end: RecordedEvent | None) -> list[RecordedEvent]:
    def after_the_end(event: RecordedEvent) -> bool:
        return end is not None and (event.shard != end.shard or event.position > end.position)

    return await _newest(log, f"logs/{cluster}", MAX_FACTS["logs"], later=after_the_end)


async def _config(log: EventLog, cluster: str, *, at: int) -> list[RecordedEvent]:
    return await _newest(log, f"config/{cluster}", MAX_FACTS["config"], later=_after(at))


def _after(at: int) -> Callable[[RecordedEvent], bool]:
    return lambda event: event.occurred_at.timestamp() > at


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


class Shelf:
    """Books for one who follows the log: what went by is kept, so that most books need no reading.

    `events` bounds what is kept of all clusters together: those that were silent longest go first,
    and are read again when they are asked for.
    """

    def __init__(self, log: EventLog, *, events: int = SHELF_EVENTS) -> None:
        self._log = log
        self._clusters = events // (HEALTH + MAX_FACTS["logs"])
        self._kept: dict[str, _Streams] = {}

    def put(self, page: Sequence[RecordedEvent]) -> None:
        """Keep what went by of the clusters that were asked for before; twice is once."""
        for event in page:
            if (streams := self._kept.get(event.cluster)) is not None and not streams.put(event):
                del self._kept[event.cluster]

    async def read(self, cluster: str, explains: UUID, *, at: int) -> ReadBook:
        """As `read_book`. Everything decided with the event has to have gone by."""
        streams = self._kept.pop(cluster, None)
        if streams is None or not streams.hold(explains) or not streams.reach_back(at):
            health = await _health(self._log, cluster, at=at)
            end = health[-1] if health else None
            streams = _Streams(health, await _logs(self._log, cluster, end=end))
        self._kept[cluster] = streams
        while len(self._kept) > self._clusters:
            del self._kept[next(iter(self._kept))]
        config = await _config(self._log, cluster, at=at)
        health = [e for e in streams.health if e.occurred_at.timestamp() <= at]
        return _made(cluster, explains, health, streams.logs, config)


@dataclass(slots=True)
class _Streams:
    """The newest events of one cluster's health and logs, each without a gap."""

    health: list[RecordedEvent]
    logs: list[RecordedEvent]

    def put(self, event: RecordedEvent) -> bool:
        """Add the next event; False when events in between have not gone by."""
        match event.stream.partition("/")[0]:
            case "health":
                return _add(self.health, event, HEALTH)
            case "logs":
                return _add(self.logs, event, MAX_FACTS["logs"])
            case _:
                return True

    def hold(self, id_: UUID) -> bool:
        """Whether an event of health is here; where it is, what was decided with it is, too."""
        return any(e.event_id == id_ for e in reversed(self.health))

    def reach_back(self, at: int) -> bool:
        """Whether a book that ends at a slot finds everything here that it may keep."""
        known = sum(e.occurred_at.timestamp() <= at for e in self.health)
        logs = sum(e.occurred_at.timestamp() <= at for e in self.logs)
        return _enough(self.health, known, MAX_FACTS["health"]) and _enough(
            self.logs, logs, MAX_FACTS["logs"]
        )


def _enough(events: list[RecordedEvent], known: int, wanted: int) -> bool:
    return known >= wanted or not events or events[0].version == 1


def _add(events: list[RecordedEvent], event: RecordedEvent, keep: int) -> bool:
    """Append the event that follows, or leave out one that is here already."""
    if events and event.version <= events[-1].version:
        return True
    if event.version != (events[-1].version + 1 if events else 1):
        return False
    events.append(event)
    if len(events) > 3 * keep:
        del events[: -2 * keep]
    return True
