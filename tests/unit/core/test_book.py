"""A book knows what was known at one event: no less, and nothing of what came later."""

from __future__ import annotations

from uuid import UUID

import pytest
from whenever import Instant

from copilot_core.errors import Rejected
from copilot_core.events import (
    CausesRanked,
    ConfigChanged,
    HealthTransitioned,
    LogSampleRecorded,
    NewEvent,
    RecordedEvent,
    SampleRecorded,
    event_id,
)
from copilot_core.readings import Missing
from copilot_core.signals import SIGNAL_NAMES
from copilot_core.words.book import MAX_FACTS, Book, book_of, unit_of
from tests.unit.core.explained import NAMES, books, config_changed
from tests.unit.projections.recorded import folded

NAME = "o1-workers-stopped"


def _transitions(events: tuple[NewEvent, ...]) -> list[NewEvent]:
    return [e for e in events if e.type == "HealthTransitioned"]


@pytest.mark.parametrize("name", NAMES)
def test_a_book_made_later_is_the_same_book(name: str) -> None:
    """What is recorded after the explained slot changes nothing: live and replay agree."""
    events = folded(name)
    for event in _transitions(events):
        end = max(
            i
            for i, e in enumerate(events)
            if e.stream == event.stream and e.occurred_at == event.occurred_at
        )
        live = book_of(events[: end + 1], cluster=name, explains=event.event_id)
        later = book_of(events, cluster=name, explains=event.event_id)
        assert [f.id for f in live.facts] == [f.id for f in later.facts]


def test_the_ranking_of_the_slot_is_in_the_book() -> None:
    """Causes are ranked right after the transition, and belong to it."""
    for book in books(NAME):
        if isinstance(book.explained.event, HealthTransitioned) and book.ranking is not None:
            assert book.ranking.at <= book.slot
    worse = [b for b in books(NAME) if b.ranking is not None and b.ranking.at == b.slot]
    assert worse


def test_places_in_the_log_tell_what_was_recorded_before() -> None:
    """Recorded events may come in any order: a log sample written later is not known."""
    events = folded(NAME)
    explained = _transitions(events)[1]
    recorded = [_recorded(e, position) for position, e in enumerate(events)]
    in_order = book_of(events, cluster=NAME, explains=explained.event_id)
    shuffled = book_of(recorded[::-1], cluster=NAME, explains=explained.event_id)
    assert [f.id for f in shuffled.facts] == [f.id for f in in_order.facts]
    assert all(f.at <= in_order.slot for f in in_order.all(LogSampleRecorded))


def _recorded(event: NewEvent, position: int) -> RecordedEvent:
    return RecordedEvent(
        shard=3,
        position=position,
        stream=event.stream,
        version=event.version,
        event_id=event.event_id,
        type=event.type,
        schema_version=event.schema_version,
        occurred_at=event.occurred_at,
        recorded_at=Instant.from_timestamp(1_900_000_000),
        payload=event.payload,
        causation=None,
    )


def test_numbers_are_those_that_gates_compared() -> None:
    """Quantities worked out again from the log are what the rules wrote into their reasons."""
    compared = 0
    for name in NAMES:
        for book in books(name):
            event = book.explained.event
            for gate in event.gates if isinstance(event, HealthTransitioned) else ():
                value = book.number(gate.signal, book.slot)
                assert value is not None
                assert f"{value:.6g}" == f"{gate.value:.6g}"
                compared += 1
    assert compared > 50


def test_a_reading_of_a_silent_role_is_missing() -> None:
    """As the rules saw it, not as the backend still answered."""
    book = next(b for b in books("n02-history-frozen") if b.cluster and _history_silent(b))
    assert book.reading("transitions_per_s", book.slot) is Missing.ROLE_SILENT
    assert book.number("transitions_per_s", book.slot) is None
    assert book.reading("no such signal", book.slot) is None
    assert book.reading("transitions_per_s", book.slot + 1) is None


def _history_silent(book: Book) -> bool:
    return book.reading("history_processes", book.slot) is Missing.NO_SERIES


def test_a_beginning_that_is_cut_off_is_not_made_up() -> None:
    """Within ten slots of a cut beginning a quantity has no answer; a reading has one."""
    events = folded(NAME)
    last = [e for e in events if e.type == "CausesRanked"][-1]
    health = [e for e in events if e.stream.startswith("health/")]
    whole = book_of(events, cluster=NAME, explains=last.event_id)
    cut = book_of([e for e in health if e.version > 30], cluster=NAME, explains=last.event_id)
    assert whole.whole
    assert not cut.whole
    first, late = cut.samples[0].at, cut.samples[12].at
    assert cut.quantity("demand_per_s", first) is None
    assert whole.quantity("demand_per_s", first) is not None
    assert cut.quantity("demand_per_s", late) == whole.quantity("demand_per_s", late)
    assert cut.reading("closings_per_s", first) == whole.reading("closings_per_s", first)


def test_a_book_is_bounded() -> None:
    """Of each stream the newest facts are kept, the explained one among them."""
    health = [e for e in folded(NAME) if e.stream.startswith("health/")]
    log = [_moved(e, n * len(health)) for n in range(6) for e in health]
    last = [e for e in log if e.type == "SampleRecorded"][-1]
    book = book_of(log, cluster=NAME, explains=last.event_id)
    assert len(log) > MAX_FACTS["health"]
    assert len(book.facts) == MAX_FACTS["health"]
    assert book.explained.id == last.event_id
    assert not book.whole


def _moved(event: NewEvent, versions: int) -> NewEvent:
    return NewEvent(
        stream=event.stream,
        version=event.version + versions,
        type=event.type,
        schema_version=event.schema_version,
        occurred_at=event.occurred_at,
        payload=event.payload,
    )


def test_an_event_that_was_rebuilt_away_is_told() -> None:
    """Nothing is explained from an event that is not there."""
    with pytest.raises(Rejected, match="not among the facts") as refused:
        book_of(folded(NAME), cluster=NAME, explains=UUID(int=7))
    assert refused.value.code == "unknown_event"


def test_other_clusters_and_other_streams_stay_out() -> None:
    """A book is about one cluster."""
    mine, others = folded(NAME), folded("n01-frontend-killed")
    explained = _transitions(mine)[1]
    book = book_of([*others, *mine], cluster=NAME, explains=explained.event_id)
    assert {f.stream.partition("/")[2] for f in book.facts} == {NAME}
    assert book.fact(event_id("health/n01-frontend-killed", 1)) is None


def test_configurations_count_up_to_the_slot() -> None:
    """A configuration of later is not known, one of before is."""
    events = folded(NAME)
    explained = _transitions(events)[1]
    at = explained.occurred_at.timestamp()
    early, late = config_changed(NAME, 1, at=at - 60), config_changed(NAME, 2, at=at + 60)
    book = book_of([late, *events, early], cluster=NAME, explains=explained.event_id)
    assert [f.id for f in book.all(ConfigChanged)] == [early.event_id]


def test_every_signal_and_quantity_has_a_unit() -> None:
    """What has none is no name."""
    assert all(unit_of(name) for name in (*SIGNAL_NAMES, "demand_per_s", "log:history/no_poller"))
    assert unit_of("nothing") is None


def test_lookups_by_type_and_time() -> None:
    """The newest fact of a type, and the newest that is not later than a time."""
    book = books(NAME)[-1]
    samples = book.all(SampleRecorded)
    assert book.last(SampleRecorded) == samples[-1]
    assert book.last(SampleRecorded, at=samples[3].at + 1) == samples[3]
    assert book.sample_before(samples[3].at + 1) == samples[3]
    assert book.sample_before(samples[0].at - 1) is None
    assert book.last(CausesRanked, at=0) is None
