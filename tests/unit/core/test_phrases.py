"""Phrases: every signal and quantity is called something, and nothing else is."""

from __future__ import annotations

import re

from copilot_core.quantities import QUANTITIES
from copilot_core.signals import SIGNAL_NAMES
from copilot_core.words.phrases import PHRASES, phrase


def test_every_signal_and_quantity_has_a_phrase_of_its_own() -> None:
    """No name is without one, no phrase is of nothing, and no two names share one."""
    assert set(PHRASES) == {*SIGNAL_NAMES, *(q.name for q in QUANTITIES)}
    assert len(set(PHRASES.values())) == len(PHRASES)


def test_phrases_hold_no_number() -> None:
    """A number in a sentence is always a value: percentiles are spelled p95 and p99."""
    for said in PHRASES.values():
        assert not re.search(r"(?<![p\d])\d", said)


def test_a_log_pattern_is_called_by_its_id_and_its_service() -> None:
    """Whatever the table does not know keeps its name."""
    assert phrase("log:history/no_poller") == "no_poller in the log of history"
    assert phrase("something_else") == "something_else"
