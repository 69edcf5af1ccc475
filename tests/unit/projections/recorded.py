"""The events of the bundled recordings, folded with the default rules."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path
from typing import Final

from copilot_core.events import NewEvent
from copilot_core.fold import fold, initial
from copilot_core.rules import RulePack
from copilot_streams.recording import open_recording
from tests.unit.projections.story import Book

RECORDINGS: Final = Path(__file__).parents[2] / "data" / "recordings"


@cache
def folded(name: str) -> tuple[NewEvent, ...]:
    """What the fold records of a recording, about a cluster of the recording's name."""
    events: list[NewEvent] = []
    state, rules = initial(name), RulePack.default()
    with open_recording(RECORDINGS / f"{name}.jsonl.gz") as recording:
        for message in recording:
            result = fold(state, message.model_copy(update={"cluster": name}), rules)
            state = result.state
            events += result.events
    return tuple(events)


def book_of(name: str) -> Book:
    """A recording as the log of one shard would hold it."""
    book = Book()
    for event in folded(name):
        book.write(event)
    return book


def interleaved(*names: str, seed: int = 3) -> list[NewEvent]:
    """Several recordings at once on one shard: each cluster's events in order, mixed by chance."""
    chance, queues = random.Random(seed), [list(folded(name)) for name in names]
    events: list[NewEvent] = []
    while queues := [queue for queue in queues if queue]:
        events.append(chance.choice(queues).pop(0))
    return events
