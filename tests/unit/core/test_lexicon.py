"""The vocabulary is closed, and the tables of the product can be said in it."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

import pytest

from copilot_core.bottleneck import Bottleneck
from copilot_core.causes import CAUSES, MECHANISMS
from copilot_core.logpatterns import LOG_PATTERNS
from copilot_core.proving.lexicon import (
    ABOVE,
    BELOW,
    CRITICAL,
    FELL,
    GLUE,
    HEDGES,
    MOVES,
    ROSE,
    SPECIALS,
    canonical,
    content,
    parts,
    words_of,
)
from copilot_core.proving.text_units import is_plain
from copilot_core.proving.turns import TURNS
from copilot_core.readings import Missing
from copilot_core.rules import GATES
from copilot_core.signs import SIGNS
from copilot_core.words.book import unit_of
from copilot_core.words.figures import dimension_of
from copilot_core.words.phrases import PHRASES

SAID: Final = (
    *PHRASES.values(),
    *MECHANISMS.values(),
    *(c.says for c in CAUSES),
    *(s.says for s in SIGNS),
    *(g.meaning for g in GATES),
    *(p.meaning for p in LOG_PATTERNS),
    *(m.value for m in Missing),
    *(b.value for b in Bottleneck),
)


def test_every_phrase_of_the_tables_is_plain_text() -> None:
    """What rules say is written in the characters that a sentence may have."""
    assert [text for text in SAID if not is_plain(text)] == []


def test_a_word_says_nothing_or_something() -> None:
    """No word is both glue and one that commits."""
    for committing in (CRITICAL, HEDGES, ROSE, FELL, ABOVE, BELOW, MOVES):
        assert not GLUE & committing


def test_no_two_signals_are_called_alike() -> None:
    """Of two signals with figures of one dimension the words tell which it is."""
    called: dict[tuple[frozenset[str], str], list[str]] = defaultdict(list)
    for name, text in PHRASES.items():
        dimension, _ = dimension_of(unit_of(name) or "")
        called[frozenset(content(words_of(text))), dimension].append(name)
    assert [names for names in called.values() if len(names) > 1] == []


def test_every_turn_of_phrase_is_checked() -> None:
    """By its own check, or with the units of a sentence."""
    with_units = {"likeliest", "was-likeliest", "beside", "forward", "backward"}
    assert set(SPECIALS) == set(TURNS) | with_units


@pytest.mark.parametrize(
    "forms",
    [
        ("close", "closes", "closed", "closing", "closings"),
        ("wait", "waits", "waited", "waiting"),
        ("database", "persistence", "dsql"),
        ("poll", "polls", "polled", "polling", "pollers"),
        ("fail", "fails", "failed", "failing", "errors"),
        ("worker", "workers", "workers'", "worker’s"),
    ],
)
def test_forms_of_a_word_are_one_word(forms: tuple[str, ...]) -> None:
    """Tense and number do not matter."""
    assert len({canonical(form) for form in forms}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("worker", "work"),
        ("workflow", "workflows' workers"),
        ("history", "matching"),
        ("started", "closed"),
        ("p95", "p99"),
        ("no", "not"),
        ("slow", "slower"),
        ("server", "serve"),
    ],
)
def test_other_words_stay_apart(one: str, other: str) -> None:
    """What means something else is never taken for it."""
    assert canonical(one) != canonical(other)


def test_compounds_are_taken_apart_and_names_are_not() -> None:
    """`task-queue` is two words; a host or a parameter is one name."""
    assert parts("Task-queue") == ("task", "queue")
    assert parts("history-0") == ("history-0",)
    assert parts("dsql.pool_max") == ("dsql.pool_max",)
