"""Lies are cut, truths are not: every sentence of every explanation, and what can be made of it.

The true sentences are those of the deterministic explainer, about every transition and every
ranking of all recorded incidents. Of each, some lies of each kind are tried, chosen by a fixed
seed.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Final

from copilot_core.events import HealthTransitioned, Status
from copilot_core.explanation import Explanation, Sentence
from copilot_core.proving.proof import completed, prove, proven
from copilot_core.words.book import Book
from copilot_core.words.explainer import explain, review
from tests.property.mutants import MUTATORS, Mutant, mutants
from tests.unit.core.explained import NAMES, books

LEAST_MUTANTS: Final = 10_000
LEAST_CAUGHT: Final = 0.995
MOST_WRONGLY_CUT: Final = 0.01
LIES_OF_A_KIND: Final = 2
"""Lies of one kind that are tried on one sentence: together some 19,000."""


@cache
def _explained() -> tuple[tuple[Book, Explanation], ...]:
    return tuple(
        (book, explanation)
        for name in NAMES
        for book in books(name)
        for explanation in _explanations(book)
    )


def _explanations(book: Book) -> Iterator[Explanation]:
    yield explain(book, book.explains)
    event = book.explained.event
    if isinstance(event, HealthTransitioned) and event.to is Status.HAPPY:
        yield review(book, book.explains)


def _sentences(explanation: Explanation) -> Iterator[Sentence]:
    yield explanation.headline
    for part in ("since", "certainty", "path", "changed_before", "not_seen"):
        yield from getattr(explanation, part)
    for cause in explanation.causes:
        yield from cause.sentences


@cache
def _truths() -> tuple[tuple[Book, Sentence], ...]:
    """Every true sentence, each once per recording."""
    found: dict[tuple[str, str], tuple[Book, Sentence]] = {}
    for book, explanation in _explained():
        for sentence in _sentences(explanation):
            found.setdefault((book.cluster, sentence.text), (book, sentence))
    return tuple(found.values())


def _chosen(sentence: Sentence, book: Book, chance: random.Random) -> list[Mutant]:
    by_kind: dict[str, list[Mutant]] = {}
    for mutant in mutants(sentence, book):
        by_kind.setdefault(mutant.kind, []).append(mutant)
    return [
        mutant
        for lies in by_kind.values()
        for mutant in chance.sample(lies, min(LIES_OF_A_KIND, len(lies)))
    ]


def test_true_sentences_are_not_cut() -> None:
    """What rules say of the recorded incidents passes the proof that models have to pass."""
    reasons = Counter(
        reason
        for book, explanation in _explained()
        for sentence in _sentences(explanation)
        if (reason := proven(sentence, book)) is not None
    )
    total = sum(1 for _, explanation in _explained() for _ in _sentences(explanation))
    print(f"{total} true sentences, {reasons.total()} wrongly cut: {dict(reasons)}")
    assert total > 1000
    assert reasons.total() < MOST_WRONGLY_CUT * total


def test_lies_are_cut() -> None:
    """Numbers, units, directions, order, actors, causes, times: in claims, in the text, in both."""
    chance = random.Random(5)
    tried, missed = Counter[str](), Counter[str]()
    examples: list[str] = []
    for book, sentence in _truths():
        for mutant in _chosen(sentence, book, chance):
            tried[mutant.kind] += 1
            if proven(mutant.sentence, book) is None:
                missed[mutant.kind] += 1
                examples.append(f"{mutant.kind}: {sentence.text} -> {mutant.sentence.text}")
    caught = 1 - missed.total() / tried.total()
    print(f"{tried.total()} lies, {caught:.2%} caught; by kind (missed/tried):")
    for kind in MUTATORS:
        print(f"  {kind:18} {missed[kind]:3}/{tried[kind]}")
    assert tried.total() >= LEAST_MUTANTS
    assert set(tried) == set(MUTATORS)
    assert caught >= LEAST_CAUGHT, examples[:20]


def test_a_proven_explanation_is_itself() -> None:
    """Proving what rules said and completing it gives the same explanation: nothing is lost."""
    for book, explanation in _explained():
        found = prove(explanation, book)
        assert found.cut == ()
        assert completed(found, explanation) == explanation
