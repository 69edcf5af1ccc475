"""Incidents in words, without a line: what is said of the events of a recording, or of the log.

The words are made where the processes make them (`copilot_workflows.subjects`); here the events
come out of a fold in this process, or one of them is looked up in the log.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

import orjson

from copilot.log_audit import PAGE
from copilot.times import rfc3339
from copilot_core.errors import Rejected
from copilot_core.events import (
    CausesRanked,
    Explaining,
    HealthTransitioned,
    NewEvent,
    RecordedEvent,
    cluster_of,
    encode,
    event_id_bytes,
    occurred_at,
)
from copilot_core.words.book import Book, book_of
from copilot_eventlog.protocol import EventLog
from copilot_workflows.agents.requests import TextKind
from copilot_workflows.books import read_book
from copilot_workflows.subjects import Subject, subjects_of, told_by_rules


@dataclass(frozen=True, slots=True)
class Worded:
    """An event in words: the book that they were made from, and what would be recorded."""

    book: Book
    subject: Subject
    event: Explaining

    def as_record(self) -> dict[str, object]:
        """The event for a script, as it would stand in the log."""
        return {
            "type": type(self.event).__name__,
            "cluster": self.subject.cluster,
            "at": rfc3339(occurred_at(self.event)),
            "data": orjson.Fragment(encode(self.event)),
        }


def worded_all(events: Sequence[NewEvent]) -> Iterator[Worded]:
    """Every transition in words, and behind the one that ends an incident the incident.

    `events` are those of one cluster, as they were decided.
    """
    for event in events:
        if event.type == HealthTransitioned.__name__:
            yield from worded(events, event)


def worded(events: Sequence[NewEvent], event: NewEvent) -> Iterator[Worded]:
    """One of the events in words."""
    book = book_of(events, cluster=cluster_of(event.stream), explains=event.event_id)
    for subject in _subjects(event):
        yield Worded(book, subject, told_by_rules(book, subject))


def found(events: Sequence[NewEvent], wanted: UUID) -> NewEvent:
    """The event with an id; raises `Rejected` (code `unknown_event`) when there is none."""
    for event in events:
        if event.event_id == wanted:
            return event
    raise _unknown(wanted, "the recording")


async def worded_from_log(log: EventLog, wanted: UUID, *, cluster: str | None) -> list[Worded]:
    """One event of the log in words.

    An id is derived from stream and version, so where the cluster is known no event has to be read
    to find it; else the log is read from its end. Raises `Rejected` (code `unknown_event`) when
    there is no such event, `Unavailable` when the log does not answer.
    """
    event = await (_in_log(log, wanted) if cluster is None else _in_stream(log, wanted, cluster))
    book = (await read_book(log, event.cluster, wanted, at=event.occurred_at.timestamp())).book
    return [Worded(book, s, told_by_rules(book, s)) for s in _subjects(event)]


async def _in_stream(log: EventLog, wanted: UUID, cluster: str) -> RecordedEvent:
    stream = f"health/{cluster}"
    newest = await log.read_stream(stream, limit=1, newest_first=True)
    last = newest[0].version if newest else 0
    for version in range(last, 0, -1):
        if event_id_bytes(stream, version) == wanted.bytes:
            return (await log.read_stream(stream, after=version - 1, limit=1))[0]
    raise _unknown(wanted, f"the stream {stream}")


async def _in_log(log: EventLog, wanted: UUID) -> RecordedEvent:
    for shard in await log.shards():
        head = await log.head(shard)
        end = head.next_position if head else 0
        while end > 0:
            begin = max(0, end - PAGE)
            for event in await log.read(shard, after=begin - 1, limit=end - begin):
                if event.event_id == wanted:
                    return event
            end = begin
    raise _unknown(wanted, "the log")


def _unknown(wanted: UUID, where: str) -> Rejected:
    return Rejected(
        f"no event {wanted}",
        where=where,
        code="unknown_event",
        todo="take the id of a HealthTransitioned event from the timeline or the events topic",
    )


def _subjects(event: NewEvent | RecordedEvent) -> tuple[Subject, ...]:
    """What is said because of an event, of a ranking also where no workflow would: who asks gets an
    answer. Raises `Rejected` for an event that nobody explains."""
    if event.type == CausesRanked.__name__:
        cluster, at = cluster_of(event.stream), event.occurred_at.timestamp()
        return (Subject(cluster=cluster, explains=event.event_id, at=at, kind=TextKind.STATE),)
    if subjects := subjects_of(event):
        return subjects
    raise Rejected(
        f"nobody explains a {event.type}",
        where=str(event.event_id),
        code="not_explained",
        todo="name a HealthTransitioned or a CausesRanked event",
    )
