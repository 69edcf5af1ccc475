"""Recorded incidents in a log, as a worker appends them: one append per message.

`pages` folds a recording; `fill` appends what came of it. `explanations` reads back what was said.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Final

from copilot_core.events import Explaining, HealthTransitioned, NewEvent, RecordedEvent, event_id
from copilot_core.fold import fold, initial
from copilot_core.rules import load_rules
from copilot_eventlog.explanation_log import key_of
from copilot_eventlog.protocol import EventLog
from copilot_streams.recording import open_recording
from copilot_workflows.subjects import Subject, subjects_of

RECORDINGS: Final = Path(__file__).parents[2] / "data" / "recordings"
INCIDENT: Final = "n02-history-frozen"
"""Happy, stressed, critical, stressed, happy."""


def pages(name: str = INCIDENT, *, cluster: str = "orders") -> list[list[NewEvent]]:
    """The events of a recording, message by message, as those of `cluster`."""
    return [
        [replace(e, stream=f"{e.stream.partition('/')[0]}/{cluster}") for e in page]
        for page in _folded(name)
    ]


@cache
def _folded(name: str) -> list[list[NewEvent]]:
    with open_recording(RECORDINGS / f"{name}.jsonl.gz") as recording:
        state, rules, found = initial(recording.header.cluster), load_rules(None), []
        for message in recording:
            folded = fold(state, message, rules)
            state = folded.state
            found.append(list(folded.events))
    return found


async def fill(
    log: EventLog, messages: Iterable[Sequence[NewEvent]], *, shard: int = 0, at_once: bool = False
) -> list[RecordedEvent]:
    """Append what messages led to; `at_once` in one transaction."""
    head = await log.take_over(shard, writer="worker", source="test")
    if at_once:
        messages = [[event for page in messages for event in page]]
    first = head.next_position
    for page in messages:
        head = await log.append(head, page, source_offset=0)
    return await log.read(shard, after=first - 1, limit=100_000)


def transitions(events: Iterable[RecordedEvent]) -> list[RecordedEvent]:
    """The transitions among events."""
    return [e for e in events if e.type == HealthTransitioned.__name__]


def subjects(events: Iterable[RecordedEvent]) -> list[Subject]:
    """Everything that has to be explained of recorded events, in order."""
    return [subject for event in events for subject in subjects_of(event)]


async def explanations(log: EventLog, cluster: str = "orders") -> list[Explaining]:
    """What was said of a cluster, in order."""
    recorded = await log.read_stream(f"explanation/{cluster}", limit=100_000)
    told = [r.decoded() for r in recorded]
    assert [r.event_id for r in recorded] == [
        event_id(f"explanation/{cluster}", n) for n in range(1, len(recorded) + 1)
    ]
    return [event for event in told if isinstance(event, Explaining)]


def once(told: Sequence[Explaining]) -> bool:
    """Whether nothing was told twice."""
    keys = [key_of(event) for event in told]
    return len(keys) == len(set(keys))
