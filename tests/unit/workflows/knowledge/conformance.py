"""What every knowledge base promises; one class, run against each of them.

A test class derives from `KnowledgeContract` and gives a fixture `open_base`: a knowledge base over
whatever a function reads.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from copilot_core.errors import Rejected
from copilot_workflows.knowledge.corpus import Corpus, corpus_of
from copilot_workflows.knowledge.pages import parse
from copilot_workflows.knowledge.port import (
    MAX_LIMIT,
    MAX_PASSAGE_CHARS,
    MAX_QUESTION_CHARS,
    Knowledge,
)
from tests.unit.workflows.knowledge.pages_of import FRUIT, page, text_of

Open = Callable[[Callable[[], Corpus]], Knowledge]


class KnowledgeContract:
    """The promises of `copilot_workflows.knowledge.port`."""

    async def test_the_page_that_has_the_words_comes_first(self, open_base: Open) -> None:
        """Best first, as a passage with the page's name, title, section and cause."""
        base = open_base(lambda: FRUIT)
        await base.sync()
        first, *others = await base.search("is the orchard empty of pickers?")
        assert (first.page, first.title, first.summary, first.cause) == (
            "workers-absent", "Nobody picks", "About Nobody picks.", "workers/absent",
        )  # fmt: skip
        assert "pickers" in first.text
        assert all(first.score >= other.score for other in others)

    async def test_one_passage_of_a_page_and_no_more_than_asked(self, open_base: Open) -> None:
        """The word stands in both sections of both pages; each page answers once."""
        corpus = corpus_of(
            page(f"{name}.md", name.title(), f"{name} cellars.\n\n## Storage\n\nMore cellars.")
            for name in ("apples", "pears", "plums")
        )
        base = open_base(lambda: corpus)
        await base.sync()
        for limit in (1, 2, 3, MAX_LIMIT):
            found = await base.search("cellars", limit=limit)
            assert len({p.page for p in found}) == len(found) == min(limit, 3)

    async def test_passages_are_bounded(self, open_base: Open) -> None:
        """A section of ten thousand characters is cut at a line."""
        long = page("plums.md", "Plums", "\n".join("plums are blue" for _ in range(700)))
        base = open_base(lambda: corpus_of([long]))
        await base.sync()
        (found,) = await base.search("blue plums")
        assert len(found.text) <= MAX_PASSAGE_CHARS

    async def test_a_second_sync_carries_nothing(self, open_base: Open) -> None:
        """Once done, again does nothing, and says the same."""
        base = open_base(lambda: FRUIT)
        first = await base.sync()
        assert (first.digest, first.pages, first.changed) == (FRUIT.digest, 3, 3)
        again = await base.sync()
        assert (again.digest, again.pages, again.changed) == (FRUIT.digest, 3, 0)

    async def test_a_sync_brings_new_words_and_forgets_old_pages(self, open_base: Open) -> None:
        """A changed page is found by its new words, a removed one never again."""
        pages = list(FRUIT.pages)
        base = open_base(lambda: corpus_of(pages))
        await base.sync()
        pages[:2] = [page("pears.md", "Pears", "Quinces by now.")]
        assert (await base.sync()).changed == 2  # one changed, one gone
        assert (await base.search("quinces"))[0].page == "pears"
        found = await base.search("red round apples", limit=MAX_LIMIT)
        assert "apples" not in {p.page for p in found}

    async def test_a_page_with_a_secret_reaches_nobody(self, open_base: Open) -> None:
        """The sync is refused, names page and line, never the secret; the former pages stay."""
        secret = "AKIA" + "QYZ7TESTK3Y2WXAB"
        pages = list(FRUIT.pages)
        base = open_base(lambda: corpus_of(pages))
        await base.sync()
        pages.append(parse("plums.md", text_of("Plums", f"aws_access_key_id={secret}")))
        with pytest.raises(Rejected) as refused:
            await base.sync()
        assert "plums.md: line" in str(refused.value.findings)
        assert secret not in str(refused.value.findings) + str(refused.value)
        assert (await base.search("orchard pickers"))[0].page == "workers-absent"

    @pytest.mark.parametrize("question", ["", "  \n", "x" * (MAX_QUESTION_CHARS + 1)])
    async def test_questions_out_of_bounds_are_refused(
        self, open_base: Open, question: str
    ) -> None:
        """Nothing and a novel are no questions."""
        with pytest.raises(Rejected):
            await open_base(lambda: FRUIT).search(question)

    @pytest.mark.parametrize("limit", [0, -1, MAX_LIMIT + 1])
    async def test_limits_out_of_bounds_are_refused(self, open_base: Open, limit: int) -> None:
        """From one page to twenty."""
        with pytest.raises(Rejected):
            await open_base(lambda: FRUIT).search("apples", limit=limit)
