"""Stretches are what the verdicts say, slot for slot."""

from __future__ import annotations

from itertools import groupby

import pytest

from copilot_core.events import SampleRecorded
from copilot_core.words.stretches import SUBJECTS, stretches
from tests.unit.core.explained import NAMES, books


@pytest.mark.parametrize("name", NAMES)
def test_stretches_are_the_runs_of_equal_verdicts(name: str) -> None:
    """Told from the events of change, they agree with the verdict of every single slot."""
    book = books(name)[-1]
    verdicts = [(f.at, f.event.verdict) for f in book.all(SampleRecorded)]
    for subject in (*SUBJECTS, "service:history", "service:workers"):
        states = [
            (
                at,
                v.services[subject.removeprefix("service:")][0]
                if subject.startswith("service:")
                else SUBJECTS[subject].verdict(v),
            )
            for at, v in verdicts
        ]
        runs = [(state, next(run)[0]) for state, run in groupby(states, key=lambda s: s[1])]
        found = stretches(book, subject)
        assert [(s.state, s.since) for s in found] == runs
        assert [s.until for s in found] == [*(s.since for s in found[1:]), None]


def test_what_has_no_states_has_no_stretches() -> None:
    """Neither a subject that is none, nor a service that is none."""
    book = books(NAMES[0])[-1]
    assert stretches(book, "weather") == ()
    assert stretches(book, "service:weather") == ()
