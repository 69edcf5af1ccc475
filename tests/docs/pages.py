"""The pages of the documentation and the blocks in them, for the tests beside this file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]

WRITTEN: Final = sorted(
    path
    for pattern in ("*.md", "docs/*.md", "docs/how-to/*.md", "docs/adr/*.md")
    for path in ROOT.glob(pattern)
)
"""Pages that people write."""

REFERENCE: Final = sorted(ROOT.glob("docs/reference/*.md"))
"""Pages that the code writes."""

_BLOCK: Final = re.compile(r"^( *)```(\w+)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block: where it stands, its language, its text without indentation."""

    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(*languages: str) -> Iterator[Block]:
    """Every fenced block in one of the languages, on all pages."""
    for page in (*WRITTEN, *REFERENCE):
        text = page.read_text(encoding="utf-8")
        for match in _BLOCK.finditer(text):
            indent, language, body = match.groups()
            if language in languages:
                line = text.count("\n", 0, match.start()) + 1
                lines = (each.removeprefix(indent) for each in body.splitlines())
                yield Block(page, line, language, "\n".join(lines) + "\n")


def commands() -> Iterator[tuple[Block, str]]:
    """Every command line in a shell block, continuation lines joined."""
    for block in blocks("sh"):
        for line in block.text.replace("\\\n", " ").splitlines():
            if line.strip() and not line.startswith("#"):
                yield block, " ".join(line.split())
