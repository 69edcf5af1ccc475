"""`copilot kb`: search, show, build and sync, as people call them."""

from __future__ import annotations

from pathlib import Path

import pytest

from copilot_workflows.knowledge.corpus import SHIPPED, read_packed
from tests.unit.cli.conftest import Copilot
from tests.unit.workflows.knowledge.pages_of import text_of

ROOT = Path(__file__).parents[3]
SHIPPED_PAGES = len(read_packed(SHIPPED).pages)


def test_search_shows_pages_best_first(copilot: Copilot) -> None:
    """Names to call `show` with, and the section that answers."""
    called = copilot("kb", "search", "workers", "killed", "overnight", "--limit", "2")
    assert called.code == 0
    headings = [line for line in called.out.splitlines() if line and not line.startswith(" ")]
    assert len(headings) == 2
    assert headings[0].startswith("workers-absent  No worker polls")


def test_search_as_json(copilot: Copilot) -> None:
    """One passage a line."""
    (first,) = copilot("kb", "search", "what is OC000", "-n", "1", "--json").records
    assert first["type"] == "Passage"
    assert first["page"] in ("database-contended", "dsql-optimistic-concurrency")


def test_search_without_an_answer(copilot: Copilot) -> None:
    """Nothing on standard output, a note beside it, no failure."""
    called = copilot("kb", "search", "zygote")
    assert (called.code, called.out) == (0, "")
    assert "no page" in called.err


def test_show_prints_the_whole_page(copilot: Copilot) -> None:
    """Without its front matter."""
    called = copilot("kb", "show", "workers-absent")
    assert called.out.startswith("# No worker polls\n")
    assert "## Unsafe actions" in called.out
    assert copilot("kb", "show", "nowhere").code == 2


def test_build_packs_own_pages_with_the_shipped_ones(
    copilot: Copilot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And search finds them when the file is named."""
    pages = tmp_path / "pages"
    pages.mkdir()
    (pages / "our-zygote.md").write_text(text_of("Our zygote service", "Call the zygote team."))
    out = tmp_path / "knowledge.jsonl"
    (told,) = copilot("kb", "build", "--pages", pages, "--out", out, "--json").records
    assert told["pages"] == SHIPPED_PAGES + 1
    monkeypatch.setenv("COPILOT_KNOWLEDGE_FILE", str(out))
    assert copilot("kb", "search", "zygote", "--json").records[0]["page"] == "our-zygote"


def test_build_refuses_a_page_with_a_secret_and_writes_nothing(
    copilot: Copilot, tmp_path: Path
) -> None:
    """The page, the line and what to do; not the secret."""
    pages = tmp_path / "pages"
    pages.mkdir()
    secret = "AKIA" + "QYZ7TESTK3Y2WXAB"
    (pages / "a.md").write_text(text_of("A", f"Log in with {secret}."))
    (pages / "b.md").write_text("no front matter")
    (pages / "c.md").write_text(text_of("C", f"Log in with {secret}."))
    out = tmp_path / "knowledge.jsonl"
    called = copilot("kb", "build", "--pages", pages, "--out", out)
    assert called.code == 2
    assert "b.md: no front matter" in called.err
    (pages / "b.md").unlink()
    called = copilot("kb", "build", "--pages", pages, "--out", out)
    assert called.code == 2
    assert "a.md: line 10: holds a secret" in called.err
    assert "c.md: line 10: holds a secret" in called.err
    assert secret not in called.err
    assert not out.exists()


def test_build_of_the_pages_of_this_repository(copilot: Copilot, tmp_path: Path) -> None:
    """What ships can be made again, to the byte."""
    out = tmp_path / "corpus.jsonl"
    called = copilot("kb", "build", "--only", "--pages", ROOT / "docs/rag", "--out", out)
    assert called.code == 0
    assert out.read_bytes() == SHIPPED.read_bytes()


def test_sync_tells_what_is_in_force(copilot: Copilot) -> None:
    """In memory: the pages that can be searched now."""
    (told,) = copilot("kb", "sync", "--json").records
    assert (told["type"], told["pages"]) == ("Synced", SHIPPED_PAGES)
    assert str(SHIPPED_PAGES) in copilot("kb", "sync").err
