"""Search in memory: the contract, words, and questions that try to be more than words."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copilot_workflows.knowledge.corpus import SHIPPED, Corpus, read_packed
from copilot_workflows.knowledge.local import LocalKnowledge
from copilot_workflows.knowledge.port import MAX_PASSAGE_CHARS, MAX_QUESTION_CHARS
from tests.unit.workflows.knowledge.conformance import KnowledgeContract, Open
from tests.unit.workflows.knowledge.pages_of import FRUIT

CORPUS = read_packed(SHIPPED)
BASE = LocalKnowledge(lambda: CORPUS)


@pytest.fixture
def open_base() -> Open:
    """Knowledge bases in memory."""

    def opened(read: Callable[[], Corpus]) -> LocalKnowledge:
        return LocalKnowledge(read)

    return opened


class TestLocalKnowledge(KnowledgeContract):
    """The contract."""


async def test_words_that_no_page_has_find_nothing() -> None:
    """No guess."""
    assert await LocalKnowledge(lambda: FRUIT).search("zygote") == ()


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("pods crash looping in matching", "matching processes restarting"),
        ("DB latency", "slow database"),
        ("frozen", "hangs"),
        ("Elasticsearch", "opensearch"),
    ],
)
async def test_words_of_on_call_are_words_of_the_pages(said: str, written: str) -> None:
    """Two ways to say it have the same first answer."""
    first = [(await BASE.search(words, limit=1))[0].page for words in (said, written)]
    assert first[0] == first[1]


@pytest.mark.parametrize("name", ["shardIOConcurrency", "history.shardIOConcurrency"])
async def test_names_are_found_whole_and_in_parts(name: str) -> None:
    """A key of the dynamic config finds a page that names it."""
    (found,) = await BASE.search(name, limit=1)
    assert "shardIOConcurrency" in CORPUS.by_name[found.page].text


@settings(max_examples=200, deadline=None)
@given(st.text(min_size=1, max_size=MAX_QUESTION_CHARS).filter(str.strip))
async def test_no_question_breaks_the_search(question: str) -> None:
    """Query syntax, control characters, any script: words or nothing, always the same answer."""
    found = await BASE.search(question)
    assert found == await BASE.search(question)
    assert len(found) <= 3
    assert all(len(p.text) <= MAX_PASSAGE_CHARS for p in found)


@pytest.mark.parametrize(
    "question", ["workers AND NOT database", "title:workers", "*", '"', "+-^~"]
)
async def test_query_syntax_is_words(question: str) -> None:
    """`NOT`, fields and wildcards mean nothing: the words alone decide."""
    words = " ".join(w for w in question.replace(":", " ").split() if w.isalpha() and w.islower())
    expected = [p.page for p in await BASE.search(words)] if words else []
    assert [p.page for p in await BASE.search(question)] == expected
