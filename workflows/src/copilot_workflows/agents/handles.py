"""Handles: what an event is called in a prompt, short and without a table to carry along.

`E48211` is event 48211 of the health stream, `L…` of the log samples, `C…` of the configuration. A
handle means an event only if the book holds it, so one that was made up means nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final
from uuid import UUID

from copilot_core.events import event_id
from copilot_core.words.book import Book

_LETTERS: Final[Mapping[str, str]] = MappingProxyType({"health": "E", "logs": "L", "config": "C"})
_KINDS: Final = {letter: kind for kind, letter in _LETTERS.items()}
_HANDLE: Final = re.compile(r"([ELC])([1-9]\d{0,11})")


def handle(stream: str, version: int) -> str:
    """The handle of an event of a stream."""
    return f"{_LETTERS[stream.partition('/')[0]]}{version}"


def handle_of(id_: UUID, book: Book) -> str | None:
    """The handle of an event of the book, None for an event that is not in it."""
    fact = book.fact(id_)
    return None if fact is None else handle(fact.stream, fact.version)


def event_of(text: str, book: Book) -> UUID | None:
    """The event that a handle means, None when the book has none."""
    found = _HANDLE.fullmatch(text.strip())
    if found is None:
        return None
    id_ = event_id(f"{_KINDS[found[1]]}/{book.cluster}", int(found[2]))
    return id_ if book.fact(id_) else None
