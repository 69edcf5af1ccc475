"""The two shapes every reference page is made of: a table, and prose taken from a docstring."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; pipes and line breaks inside cells are made harmless."""
    lines = [_line(columns), "|" + "---|" * len(columns)]
    lines += [_line(row) for row in rows]
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[object]) -> str:
    return (
        "| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
    )


def code(value: object) -> str:
    """A value as inline code, empty for None."""
    return "" if value is None else f"`{value}`"


def prose(of: object) -> str:
    """The docstring of a class or function, without its indentation."""
    return inspect.cleandoc(of.__doc__ or "")
