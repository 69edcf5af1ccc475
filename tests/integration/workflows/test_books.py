"""The book of an event, read from a log: the same as one made of everything."""

from __future__ import annotations

from dataclasses import replace

import pytest

from copilot_core.errors import Rejected
from copilot_core.events import NewEvent, event_id
from copilot_core.words.book import book_of
from copilot_eventlog.protocol import EventLog
from copilot_workflows.books import Shelf, read_book
from tests.integration.eventlog.logs import InMemory, OnPostgres
from tests.integration.workflows.incidents import fill, pages, transitions


class BookContract:
    """What reading a book promises, on every log."""

    async def test_it_is_the_book_of_everything(self, log: EventLog) -> None:
        """Whatever came later, and whatever other clusters did, the book is what it was then."""
        for cluster in ("billing", "orders", "search"):
            await fill(log, pages(cluster=cluster))
        recorded = await log.read(0, limit=100_000)
        explained = [e for e in recorded if e.type in ("HealthTransitioned", "CausesRanked")]
        assert len(explained) > 20
        for event in explained:
            read = await read_book(
                log, event.cluster, event.event_id, at=event.occurred_at.timestamp()
            )
            assert read.explained == event
            assert read.book == book_of(recorded, cluster=event.cluster, explains=event.event_id)

    async def test_an_event_long_ago(self, log: EventLog) -> None:
        """Behind thousands of later events the book is found, with its log samples."""
        recorded = await fill(log, pages())
        for later in range(30):
            await fill(log, _again(later))
        event = transitions(recorded)[1]
        read = await read_book(log, "orders", event.event_id, at=event.occurred_at.timestamp())
        assert read.book == book_of(recorded, cluster="orders", explains=event.event_id)

    @pytest.mark.parametrize("events", [100_000, 1_200])
    async def test_a_shelf_gives_the_same_books(self, log: EventLog, events: int) -> None:
        """Whoever follows page by page gets the books that reading gives, whatever is kept."""
        for cluster in ("billing", "orders", "search"):
            for n in range(-1, 11):
                await fill(log, _again(n, cluster=cluster))
        shelf, recorded = Shelf(log, events=events), await log.read(0, limit=100_000)
        for i in range(0, len(recorded), 100):
            page = recorded[i : i + 100]
            shelf.put(page)
            for event in transitions(page):
                if event.position < page[-1].position - 20:
                    at = event.occurred_at.timestamp()
                    read = await shelf.read(event.cluster, event.event_id, at=at)
                    assert read == await read_book(log, event.cluster, event.event_id, at=at)
            shelf.put(page)

    async def test_an_event_that_is_not_there(self, log: EventLog) -> None:
        """An event of a log that was rebuilt otherwise is refused by name."""
        await fill(log, pages())
        for version in (7, 7_000):
            with pytest.raises(Rejected) as caught:
                await read_book(log, "orders", event_id("health/other", version), at=1_795_000_000)
            assert caught.value.code == "unknown_event"
        with pytest.raises(Rejected):
            await read_book(log, "nobody", event_id("health/nobody", 1), at=1_795_000_000)


def _again(n: int, *, cluster: str = "orders") -> list[list[NewEvent]]:
    """The recording once more, in one page, as the n-th one behind it."""
    events = [event for page in pages(cluster=cluster) for event in page]
    last = {event.stream: event.version for event in events}
    return [
        [
            replace(
                event,
                version=event.version + (n + 1) * last[event.stream],
                occurred_at=event.occurred_at.add(hours=n + 1),
            )
            for event in events
        ]
    ]


class TestInMemory(InMemory, BookContract):
    """The contract, in memory."""


class TestOnPostgres(OnPostgres, BookContract):
    """The contract, in PostgreSQL."""
