"""The book of an explanation: the facts of one cluster as they stood at one event.

Theory of operation. An explanation is about one event, and knows what was known then: the events of
the health stream up to the last one of its slot, the log samples recorded by then, the
configurations in force by then. Nothing later is in the book, so a book made live, a book made by a
replay and a book made a year after are the same book, and so are the words made of it.

A book is bounded: of each stream only the newest events are kept (`MAX_FACTS`). What the beginning
would have been needed for has no answer: it is never made up from a shorter window.

Numbers are looked up where rules look: `reading` gives what was read, with the readings of roles
that had no pulse taken out, and `quantity` works the rules' quantities out again from the readings
of the slot and the ten before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType, UnionType
from typing import Final, Generic, TypeVar, cast
from uuid import UUID

from copilot_core.errors import Rejected
from copilot_core.events import (
    EVENT_TYPES,
    CausesRanked,
    DeploymentRecorded,
    Event,
    HealthTransitioned,
    LogSampleRecorded,
    NewEvent,
    RecordedEvent,
    SampleDropped,
    SampleRecorded,
)
from copilot_core.logpatterns import PATTERNS_BY_ID
from copilot_core.quantities import QUANTITY, WINDOW_SLOTS, Range, Sight, without_silent_roles
from copilot_core.readings import Missing, Reading
from copilot_core.samples import unpack
from copilot_core.signals import BY_NAME, INDEX, Role
from copilot_core.values import Status

MAX_FACTS: Final[Mapping[str, int]] = MappingProxyType({"health": 400, "logs": 120, "config": 20})
"""Newest events that a book keeps, by kind of stream: at 30 s about three hours of health, one hour
of logs."""

E = TypeVar("E", bound=Event, covariant=True)
Sort = TypeVar("Sort", bound=Event)
Envelope = NewEvent | RecordedEvent


@dataclass(frozen=True)
class Fact(Generic[E]):
    """One event that is known: where it stands in its stream, and its event time in Unix seconds.

    The event is decoded when it is first asked for: of a book's 400 samples an explanation looks
    at some thirty, and decoding them all took three quarters of its time.
    """

    envelope: Envelope

    @cached_property
    def id(self) -> UUID:
        """The event's id."""
        return self.envelope.event_id

    @property
    def stream(self) -> str:
        """The event's stream."""
        return self.envelope.stream

    @property
    def version(self) -> int:
        """The event's place in its stream, from 1."""
        return self.envelope.version

    @cached_property
    def at(self) -> int:
        """Event time."""
        return self.envelope.occurred_at.timestamp()

    def is_a(self, type_: type | UnionType) -> bool:
        """Whether the event is of a type, without decoding it."""
        known = EVENT_TYPES.get(self.envelope.type)
        return known is not None and issubclass(known, type_)

    @cached_property
    def _decoded(self) -> Event:
        return self.envelope.decoded()

    @property
    def event(self) -> E:
        """The event itself; raises `Rejected` as `copilot_core.events.decode` does."""
        return cast("E", self._decoded)


@dataclass(frozen=True)
class Book:
    """What is known of `cluster` as of the event `explains`; make one with `book_of`.

    `facts` are in order of stream and version. Of two facts of one stream the one with the higher
    version was decided later.
    """

    cluster: str
    explains: UUID
    facts: tuple[Fact[Event], ...]

    # --- events -----------------------------------------------------------------------------------

    @cached_property
    def _by_id(self) -> dict[UUID, Fact[Event]]:
        return {fact.id: fact for fact in self.facts}

    def fact(self, id_: UUID) -> Fact[Event] | None:
        """The fact with this event id, None when it is not in the book."""
        return self._by_id.get(id_)

    @cached_property
    def explained(self) -> Fact[Event]:
        """The fact that the explanation is about."""
        return self._by_id[self.explains]

    @property
    def slot(self) -> int:
        """The slot that the book ends with."""
        return self.explained.at

    @cached_property
    def whole(self) -> bool:
        """Whether the health stream is here from its first event."""
        return any(f.version == 1 for f in self.facts if f.stream.startswith("health/"))

    def all(self, type_: type[Sort]) -> tuple[Fact[Sort], ...]:
        """Every fact of one type, oldest first."""
        return tuple(cast("Fact[Sort]", fact) for fact in self.facts if fact.is_a(type_))

    def last(self, type_: type[Sort], *, at: int | None = None) -> Fact[Sort] | None:
        """The newest fact of one type, or the newest that is not later than `at`."""
        found = [f for f in self.all(type_) if at is None or f.at <= at]
        return found[-1] if found else None

    @cached_property
    def ranking(self) -> Fact[CausesRanked] | None:
        """The ranking of causes that holds at the end of the book."""
        return self.last(CausesRanked)

    # --- numbers ----------------------------------------------------------------------------------

    @cached_property
    def samples(self) -> tuple[Fact[SampleRecorded], ...]:
        """The samples, one per slot, oldest first."""
        return self.all(SampleRecorded)

    @cached_property
    def _sample_index(self) -> dict[int, int]:
        return {fact.at: i for i, fact in enumerate(self.samples)}

    @cached_property
    def _sights(self) -> dict[int, Sight]:
        return {}

    def sample(self, slot: int) -> Fact[SampleRecorded] | None:
        """The sample of exactly this slot."""
        at = self._sample_index.get(slot)
        return None if at is None else self.samples[at]

    def sample_before(self, at: int) -> Fact[SampleRecorded] | None:
        """The newest sample that is not later than `at`."""
        found = [slot for slot in self._sample_index if slot <= at]
        return self.sample(max(found)) if found else None

    @cached_property
    def _unpacked(self) -> dict[int, tuple[tuple[Reading, ...], tuple[Role, ...]]]:
        return {}

    def _seen(self, at: int) -> tuple[tuple[Reading, ...], tuple[Role, ...]]:
        """The readings of the n-th sample without those of silent roles, and these roles."""
        if at not in self._unpacked:
            event = self.samples[at].event
            self._unpacked[at] = without_silent_roles(unpack(event.readings, event.signals))
        return self._unpacked[at]

    def sight(self, slot: int) -> Sight | None:
        """The slot as the rules saw it, with the ten before; fewer where the book begins."""
        at = self._sample_index.get(slot)
        if at is None:
            return None
        if slot not in self._sights:
            seen = [self._seen(i) for i in range(max(at - WINDOW_SLOTS, 0), at + 1)]
            self._sights[slot] = Sight(
                readings=seen[-1][0],
                window=tuple(readings for readings, _ in seen[:-1]),
                silent=seen[-1][1],
            )
        return self._sights[slot]

    def reading(self, signal: str, slot: int) -> Reading | None:
        """What a signal read in a slot, as the rules saw it; None without a sample or a signal."""
        sight = self.sight(slot)
        return None if sight is None or signal not in INDEX else sight[signal]

    def quantity(self, name: str, slot: int) -> Range | None:
        """A quantity of the rules, worked out again; None where it cannot be.

        That is: no such quantity, no sample of the slot, or a beginning cut off within its window.
        """
        sight = self.sight(slot)
        if sight is None or name not in QUANTITY:
            return None
        if len(sight.window) < WINDOW_SLOTS and not self.whole:
            return None
        return QUANTITY[name].of(sight)

    def number(self, name: str, slot: int) -> float | None:
        """What a signal or a quantity was in a slot, None when it was not seen.

        `log:<service>/<pattern>` counts the lines of the newest log sample up to the slot, `*`
        those of all services.
        """
        if name.startswith("log:"):
            return self._log_count(name.removeprefix("log:"), slot)
        if name in QUANTITY and name not in BY_NAME:
            found = self.quantity(name, slot)
            return None if found is None else found.value
        value = self.reading(name, slot)
        return None if value is None or isinstance(value, Missing) else value

    def _log_count(self, what: str, slot: int) -> float | None:
        fact = self.last(LogSampleRecorded, at=slot)
        if not self.counts_lines(f"log:{what}") or fact is None or fact.event.counts is None:
            return None
        return float(lines_of(what, fact.event.counts))

    @cached_property
    def _log_services(self) -> frozenset[str]:
        """The services whose lines some log sample counts."""
        return frozenset(s for f in self.all(LogSampleRecorded) for s in f.event.counts or {})

    def counts_lines(self, name: str) -> bool:
        """Whether a name is `log:<service>/<pattern>`, of a service whose log was read (`*` for all
        of them) and of a known pattern. Any other name would have no lines for ever, and a zero
        that is true of anything proves the name itself."""
        kind, _, what = name.partition(":")
        service, _, pattern = what.partition("/")
        known = service == "*" or service in self._log_services
        return kind == "log" and known and pattern in PATTERNS_BY_ID


def lines_of(what: str, counts: Mapping[str, Mapping[str, int]]) -> int:
    """The lines of `<service>/<pattern>` among the counts of one log sample; `*` is every
    service."""
    service, _, pattern = what.partition("/")
    return sum(of.get(pattern, 0) for s, of in sorted(counts.items()) if service in ("*", s))


def rankings(book: Book) -> tuple[Fact[CausesRanked], ...]:
    """The rankings that may be spoken of: the one that holds, and the last one of this trouble that
    found a cause. Once a trouble is over its causes are not seen any more, and were its causes."""
    holds = book.ranking
    if holds is None:
        return ()
    if holds.event.causes:
        return (holds,)
    began = [
        f.at
        for f in book.all(HealthTransitioned)
        if f.event.from_ in (Status.HAPPY, Status.UNKNOWN) and f.event.to is not Status.HAPPY
    ]
    found = [f for f in book.all(CausesRanked) if f.event.causes and f.at >= max(began, default=0)]
    return (holds, found[-1]) if found else (holds,)


def unit_of(name: str) -> str | None:
    """The unit of a signal, a quantity or a log pattern; None for a name that means none."""
    if name.startswith("log:"):
        return "lines"
    if name in BY_NAME:
        return BY_NAME[name].unit
    return QUANTITY[name].unit if name in QUANTITY else None


# --- making a book ------------------------------------------------------------------------------

_NOT_OF_A_DECISION: Final = (SampleRecorded, SampleDropped, DeploymentRecorded)
"""What begins something new in the health stream; everything else was decided with the sample that
stands before it."""


def book_of(events: Iterable[Envelope], *, cluster: str, explains: UUID) -> Book:
    """The book of one event, from events in the order in which they were decided.

    Events of other clusters, of streams that no explanation rests on, and everything later than
    the explained event's slot are left out; a log sample counts as known when it was recorded
    before the slot's last event. Raises `Rejected` (code `unknown_event`) when the explained event
    is not among them.
    """
    given = list(events)
    health = _in_order(given, f"health/{cluster}")
    health = health[: _end_of_slot(health, explains) + 1]
    end = health[-1]
    logs = _in_order(_recorded_before(end, given), f"logs/{cluster}")
    config = [e for e in _in_order(given, f"config/{cluster}") if e.occurred_at <= end.occurred_at]
    kept = (
        *health[-MAX_FACTS["health"] :],
        *logs[-MAX_FACTS["logs"] :],
        *config[-MAX_FACTS["config"] :],
    )
    return Book(cluster, explains, tuple(Fact(e) for e in kept))


def _in_order(events: Iterable[Envelope], stream: str) -> list[Envelope]:
    """The events of one stream by version, each once."""
    versions = {e.version: e for e in events if e.stream == stream}
    return [versions[v] for v in sorted(versions)]


def _end_of_slot(health: list[Envelope], explains: UUID) -> int:
    """Index of the last event that was decided together with the explained one."""
    at = next((i for i, e in enumerate(health) if e.event_id == explains), None)
    if at is None:
        raise Rejected(
            f"event {explains} is not among the facts",
            code="unknown_event",
            todo="the log may have been rebuilt: ask for the transition that stands there now",
        )
    begins = {t.__name__ for t in _NOT_OF_A_DECISION}
    slot = health[at].occurred_at
    while (
        at + 1 < len(health)
        and health[at + 1].type not in begins
        and health[at + 1].occurred_at == slot
    ):
        at += 1
    return at


def _recorded_before(last: Envelope, events: list[Envelope]) -> list[Envelope]:
    """The events that had been recorded when `last` was: by place in the log where there is one,
    else by the order in which they are given."""
    if isinstance(last, RecordedEvent):
        return [
            e
            for e in events
            if isinstance(e, RecordedEvent) and e.shard == last.shard and e.position < last.position
        ]
    return events[: next(i for i, e in enumerate(events) if e is last)]
