"""`copilot explain --event` against a real log."""

from __future__ import annotations

from uuid import uuid4

import pytest

from copilot_core.events import CausesRanked, HealthTransitioned, NewEvent
from tests.integration.cli.conftest import INCIDENT
from tests.unit.cli.conftest import Copilot

CLUSTER = "o1-workers-stopped"


def of_type(events: list[NewEvent], type_: type) -> list[NewEvent]:
    """The events of one type."""
    return [e for e in events if e.type == type_.__name__]


@pytest.mark.parametrize("named", [(), ("--cluster", CLUSTER)], ids=["by-reading", "by-name"])
def test_an_event_of_the_log_is_told_as_one_of_the_recording(
    filled_log: list[NewEvent], copilot: Copilot, named: tuple[str, ...]
) -> None:
    """Found by its id alone or with its cluster's name: the same words, byte for byte."""
    told = copilot("explain", "--recording", INCIDENT, "--json").records
    transitions = of_type(filled_log, HealthTransitioned)
    assert len(told) == len(transitions)
    for expected, event in zip(told, transitions, strict=True):
        called = copilot("explain", "--event", event.event_id, *named, "--json")
        assert called.records == [expected]


def test_a_ranking_is_told_as_the_state_it_found(
    filled_log: list[NewEvent], copilot: Copilot
) -> None:
    """A CausesRanked in between is an assessment of how things stand."""
    ranking = of_type(filled_log, CausesRanked)[-1]
    (told,) = copilot("explain", "--event", ranking.event_id, "--json").records
    assert told["type"] == "StateAssessed"
    assert told["data"]["explains"] == str(ranking.event_id)


@pytest.mark.parametrize("named", [(), ("--cluster", CLUSTER), ("--cluster", "another")])
def test_an_event_that_is_not_there_is_refused(
    filled_log: list[NewEvent], copilot: Copilot, named: tuple[str, ...]
) -> None:
    """Exit 2 and where it was looked for; a sample is there and nobody explains it."""
    unknown = copilot("explain", "--event", uuid4(), *named)
    assert unknown.code == 2
    assert "no event" in unknown.err
    seen = copilot("explain", "--event", filled_log[0].event_id)
    assert seen.code == 2
    assert "nobody explains a SampleRecorded" in seen.err
