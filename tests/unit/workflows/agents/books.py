"""One book for tests that need any: workers stopped, the transition to critical."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from copilot_core.events import HealthTransitioned, NewEvent
from copilot_core.fold import fold, initial
from copilot_core.rules import RulePack
from copilot_core.words.book import Book, book_of
from copilot_streams.recording import open_recording

RECORDINGS: Final = Path(__file__).parents[3] / "data" / "recordings"


def events_of(name: str) -> list[NewEvent]:
    """Everything that is decided of a recording."""
    with open_recording(RECORDINGS / f"{name}.jsonl.gz") as recording:
        state, rules, events = initial(recording.header.cluster), RulePack.default(), []
        for message in recording:
            folded = fold(state, message, rules)
            state = folded.state
            events += folded.events
    return events


def transition(events: list[NewEvent], n: int) -> NewEvent:
    """The n-th transition."""
    return [e for e in events if e.type == HealthTransitioned.__name__][n]


def book(name: str, n: int) -> Book:
    """The book of the n-th transition of a recording."""
    events = events_of(name)
    event = transition(events, n)
    cluster = event.stream.partition("/")[2]
    return book_of(events, cluster=cluster, explains=event.event_id)


ONE: Final = book("o1-workers-stopped", 2)
