"""Whether on-call finds the right page: questions in their own words, judged by the first three."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Final

import pytest

from copilot_workflows.knowledge.corpus import SHIPPED, Corpus, corpus_of, read_packed
from copilot_workflows.knowledge.local import LocalKnowledge
from copilot_workflows.knowledge.pages import parse
from tests.unit.workflows.knowledge.pages_of import text_of

QUESTIONS: Final = tomllib.loads(
    (Path(__file__).parents[3] / "data/questions.toml").read_text(encoding="utf-8")
)["question"]
CORPUS: Final = read_packed(SHIPPED)

FOUND_IN_THREE: Final = 0.95
FOUND_FIRST: Final = 0.80


async def found(corpus: Corpus, *, within: int) -> float:
    """The share of questions whose right page is among the first."""
    base = LocalKnowledge(lambda: corpus)
    hits = 0
    for question in QUESTIONS:
        passages = await base.search(question["asks"], limit=within)
        hits += bool({p.page for p in passages} & set(question["pages"]))
    return hits / len(QUESTIONS)


async def test_the_right_page_is_among_the_first_three() -> None:
    """For at least 60 questions, in at least 95 of 100 cases."""
    assert len(QUESTIONS) >= 60
    assert await found(CORPUS, within=3) >= FOUND_IN_THREE


async def test_the_right_page_is_mostly_the_first() -> None:
    """A better ranking than three lucky places."""
    assert await found(CORPUS, within=1) >= FOUND_FIRST


async def test_the_measure_can_fail() -> None:
    """With every text under its neighbour's name, the same questions find next to nothing."""
    pages = [page for page in CORPUS.pages if page.front.cause is None]
    rotated = [
        parse(
            page.path,
            text_of(
                other.front.title,
                "\n\n".join(f"## {s.heading or 'Lead'}\n\n{s.text}" for s in other.sections),
                summary=other.front.summary,
            ).replace("](", "] ("),
        )
        for page, other in zip(pages, [*pages[1:], pages[0]], strict=True)
    ]
    assert await found(corpus_of(rotated), within=3) < 0.3


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda q: q["asks"][:40])
def test_questions_are_in_words_of_their_own(question: dict[str, list[str] | str]) -> None:
    """No question repeats the title of its page, and its pages exist."""
    asked = set(re.findall(r"[a-z0-9]+", str(question["asks"]).lower()))
    for name in question["pages"]:
        title = re.findall(r"[a-z0-9]+", CORPUS.by_name[name].front.title.lower())
        assert not set(title) <= asked


def test_every_page_answers_some_question() -> None:
    """A page that nobody would ask for is not worth keeping."""
    assert {name for q in QUESTIONS for name in q["pages"]} == set(CORPUS.by_name)
