"""All pages together: read from folders, packed into one file, named by a digest.

Theory of operation. A process reads one file, `corpus.jsonl`: a line with the digest and the number
of pages, then one line per page with its path and its text as written. Packing the same pages gives
the same bytes. The file that ships is made of `docs/rag/`; an installation that has pages of its
own packs a file of both and names it in `COPILOT_KNOWLEDGE_FILE`. Pages are judged when they are
packed, and again when a packed file is read: a file may come from anywhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import orjson

from copilot_core.errors import Rejected
from copilot_workflows.knowledge.pages import MAX_CHARS, Page, check, parse

SHIPPED: Final = Path(__file__).parent / "corpus.jsonl"
"""The pages that come with the product."""

MAX_PAGES: Final = 2_000
INDEX_PAGE: Final = "README.md"
"""Tells people about a folder of pages, and is none."""


@dataclass(frozen=True)
class Corpus:
    """Pages in the order of their paths."""

    pages: tuple[Page, ...]

    @cached_property
    def digest(self) -> str:
        """Names exactly these pages."""
        hashed = hashlib.sha256()
        for page in self.pages:
            hashed.update(orjson.dumps([page.path, page.text]))
        return hashed.hexdigest()

    @cached_property
    def by_name(self) -> Mapping[str, Page]:
        """Pages by their names."""
        return {page.name: page for page in self.pages}


def corpus_of(pages: Iterable[Page]) -> Corpus:
    """Judge pages and put them in order. Raises `Rejected` with every finding."""
    ordered = tuple(sorted(pages, key=lambda page: page.path))
    if len(ordered) > MAX_PAGES:
        raise Rejected(f"{len(ordered)} pages, {MAX_PAGES} at the most", where="knowledge pages")
    check(ordered)
    return Corpus(ordered)


def extended(corpus: Corpus, pages: Iterable[Page]) -> Corpus:
    """A corpus with more pages; a page takes the place of one with the same name."""
    added = {page.name: page for page in pages}
    kept = [page for page in corpus.pages if page.name not in added]
    return corpus_of([*kept, *added.values()])


def read_folder(folder: Path) -> tuple[Page, ...]:
    """Every page below a folder, not yet judged. Raises `Rejected` for what is no page."""
    files = sorted(path for path in folder.rglob("*.md") if path.name != INDEX_PAGE)
    if not files:
        raise Rejected("no pages there", where=str(folder), todo="give a folder with *.md files")
    return _parsed((path.relative_to(folder).as_posix(), _text(path)) for path in files)


def pack(corpus: Corpus) -> bytes:
    """The bytes of a packed corpus."""
    head = {"digest": corpus.digest, "pages": len(corpus.pages)}
    lines = [head, *({"path": page.path, "text": page.text} for page in corpus.pages)]
    return b"".join(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE) for line in lines)


def write_packed(path: Path, corpus: Corpus) -> None:
    """Write a packed corpus. Raises `Rejected` when there is no such place to write to."""
    try:
        path.write_bytes(pack(corpus))
    except OSError as e:
        raise Rejected(f"cannot be written: {e.strerror}", where=str(path)) from e


def read_packed(path: Path) -> Corpus:
    """Read a packed corpus. Raises `Rejected` when it is none, or holds what must not be served."""
    try:
        head, *lines = (orjson.loads(line) for line in path.read_bytes().splitlines())
        corpus = corpus_of(_parsed((str(line["path"]), str(line["text"])) for line in lines))
        named = (head["digest"], head["pages"])
    except (OSError, ValueError, KeyError, TypeError) as e:
        raise Rejected(
            f"is no packed corpus: {e}", where=str(path), todo="make one with copilot kb build"
        ) from e
    if named != (corpus.digest, len(corpus.pages)):
        raise Rejected(
            "was changed after it was packed",
            where=str(path),
            todo="pack the pages again with copilot kb build",
        )
    return corpus


def _parsed(texts: Iterable[tuple[str, str]]) -> tuple[Page, ...]:
    """Parse pages; the findings of all of them are told at once."""
    pages: list[Page] = []
    found: list[str] = []
    for path, text in texts:
        try:
            pages.append(parse(path, text))
        except Rejected as e:
            found += e.findings
    if found:
        raise Rejected(
            f"{len(found)} findings in the pages",
            where="knowledge pages",
            todo="correct the pages; docs/how-to/add-a-runbook.md says what a page needs",
            code="page_refused",
            findings=tuple(found),
        )
    return tuple(pages)


def _text(path: Path) -> str:
    """The text of a file; one that is far too long is not read to its end."""
    try:
        with path.open(encoding="utf-8") as file:
            return file.read(MAX_CHARS * 4)
    except UnicodeDecodeError as e:
        raise Rejected("is not written in UTF-8", where=str(path), todo="save it as UTF-8") from e
