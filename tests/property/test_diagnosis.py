"""Laws of the diagnosis: it explains every history, and moves none."""

from __future__ import annotations

import pytest
from hypothesis import given

from copilot_core import decisions, diagnosis
from copilot_core.causes import CAUSE
from copilot_core.diagnosis import Diagnosis, finals
from copilot_core.events import CausesRanked, CauseTracks, Event, HealthTransitioned, SampleRecorded
from copilot_core.health import rank
from tests.property.histories import Slot, folded, histories, sample


def _events(slots: list[Slot]) -> list[Event]:
    _, events, _ = folded([sample(slot, n) for n, slot in enumerate(slots)])
    return [event.decoded() for event in events]


def _without_causes(events: list[Event]) -> list[Event]:
    """What was decided, without what was said about causes."""
    return [
        e.model_copy(update={"verdict": e.verdict.model_copy(update={"causes": CauseTracks()})})
        if isinstance(e, SampleRecorded)
        else e
        for e in events
        if not isinstance(e, CausesRanked)
    ]


@given(histories())
def test_causes_move_nothing(slots: list[Slot]) -> None:
    """Law L9: without any diagnosis every other event of every history is the same."""
    told = _events(slots)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            decisions.diagnosis, "diagnose", lambda *_, **__: Diagnosis(CauseTracks(), (), ())
        )
        assert _without_causes(told) == _without_causes(_events(slots))


@given(histories())
def test_a_ranking_is_of_the_graph_and_in_order(slots: list[Slot]) -> None:
    """Rows of the closed graph, each once, seen in enough slots; never a bystander beside the cause
    that brings its signs."""
    for event in _events(slots):
        if not isinstance(event, CausesRanked):
            continue
        keys = [f"{c.component}/{c.kind}" for c in event.causes]
        assert len(set(keys)) == len(keys)
        assert set(keys) <= set(CAUSE)
        brought = {other for key in keys for other in CAUSE[key].brings}
        assert not brought & set(keys)
        cannot = {f"{c.component}/{c.kind}" for c in event.cannot_tell}
        assert not cannot & set(keys)


@given(histories())
def test_rankings_come_with_transitions_and_with_change(slots: list[Slot]) -> None:
    """Every transition has one in its slot; any other says something else than the one before."""
    events = _events(slots)
    transitions = {e.slot for e in events if isinstance(e, HealthTransitioned)}
    rankings = [e for e in events if isinstance(e, CausesRanked)]
    assert transitions <= {r.slot for r in rankings}
    assert len({r.slot for r in rankings}) == len(rankings)
    last: CausesRanked | None = None
    for ranking in rankings:
        found = Diagnosis(CauseTracks(), ranking.causes, ranking.cannot_tell)
        assert ranking.slot in transitions or diagnosis.differs(found, last)
        last = ranking


@given(histories())
def test_trouble_begins_and_ends(slots: list[Slot]) -> None:
    """Tracks lie inside the trouble; a cluster that is not happy is in trouble; no trouble, nothing
    suspected and nothing kept."""
    since = 0
    for event in _events(slots):
        if not isinstance(event, SampleRecorded):
            continue
        tracks = event.verdict.causes
        if rank(event.verdict.status) > 0:
            assert tracks.since
        if not tracks.since:
            assert tracks == CauseTracks()
        elif since:
            assert tracks.since == since or tracks.since == event.slot
        since = tracks.since
        for track in tracks.tracks.values():
            assert tracks.since <= track.first <= track.last <= event.slot
            assert track.slots >= 1
            assert 0.0 <= track.weight <= track.slots


@given(histories())
def test_each_trouble_has_one_final_ranking(slots: list[Slot]) -> None:
    """As many as there were troubles with a ranking, in order of time, each the last of its own."""
    rankings = [e for e in _events(slots) if isinstance(e, CausesRanked)]
    last = finals(rankings)
    assert [r.since for r in last] == sorted({r.since for r in rankings if r.since})
    for ranking in last:
        assert ranking.slot == max(r.slot for r in rankings if r.since == ranking.since)
