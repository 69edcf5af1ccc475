"""The few shapes of Markdown that pages are made of: sections, tables, lists, inline code."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def section(title: str, body: str) -> str:
    """A second-level section, ending in a line feed."""
    return f"## {title}\n\n{body.rstrip()}\n"


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table; a pipe or a line break in a cell cannot end it."""
    lines = [_line(columns), "|" + "---|" * len(columns), *map(_line, rows)]
    return "\n".join(lines) + "\n"


def bullets(items: Iterable[str]) -> str:
    """A list of one-line items."""
    return "\n".join(f"- {_flat(item)}" for item in items) + "\n"


def code(text: object) -> str:
    """Text as inline code."""
    return f"`{text}`"


def prose(text: str) -> str:
    """Plain text in which no `<` begins a tag."""
    return text.replace("<", "\\<")


def _line(cells: Sequence[object]) -> str:
    return "| " + " | ".join(_flat(str(cell)).replace("|", "\\|") for cell in cells) + " |"


def _flat(text: str) -> str:
    return text.replace("\n", " ")
