"""What the loader holds after decoding a file: keys, entries, and what is wrong with their form.

A YAML value keeps what Go tells apart: a mapping of strings from one with other keys, an int from a
float, a time from a text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final


class AnyKeyMap:
    """Go's map[any]any: a YAML mapping in which some key is not a string."""

    __slots__ = ("pairs",)

    def __init__(self) -> None:
        self.pairs: dict[Any, tuple[Any, Any]] = {}

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        return iter(self.pairs.values())


class Trouble(Enum):
    """What is wrong in the file's form. The first group refuses the file, the second is silent."""

    NOT_YAML = "not_yaml"
    DUPLICATE_KEY = "duplicate_key"
    NOT_A_LIST = "not_a_list"
    WRONG_SHAPE = "wrong_shape"
    BAD_SCALAR = "bad_scalar"
    BAD_ALIAS = "bad_alias"
    BAD_MERGE = "bad_merge"

    NULL_DROPPED = "null_dropped"
    UNKNOWN_FIELD = "unknown_field"
    TEXT_AFTER_DOCUMENT = "text_after_document"

    @property
    def refuses(self) -> bool:
        """Whether the server refuses the whole file."""
        return self not in _SILENT


_SILENT: Final = frozenset(
    {Trouble.NULL_DROPPED, Trouble.UNKNOWN_FIELD, Trouble.TEXT_AFTER_DOCUMENT}
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with the form. `key` is the top-level key it stands under, "" at the top;
    `name` is the offending name where there is one; `line` counts from 1, 0 = unknown."""

    trouble: Trouble
    line: int
    key: str
    message: str
    name: str = ""


@dataclass(slots=True)
class Entry:
    """One `{value, constraints}` of a key. `value` is a `Scalar`, a list, a dict or an `AnyKeyMap`;
    it is None for null and where there is none, which are the same to the server."""

    line: int
    value: Any = None
    value_line: int = 0
    constraints: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Key:
    """One top-level key as written, with its entries in order; none for `key:` and `key: []`."""

    name: str
    line: int
    entries: list[Entry]


@dataclass(frozen=True, slots=True)
class Decoded:
    """What the loader holds after decoding; nothing counts when a problem refuses the file."""

    keys: tuple[Key, ...]
    problems: tuple[Problem, ...]

    @property
    def refused(self) -> bool:
        """Whether the server takes nothing from this file."""
        return any(p.trouble.refuses for p in self.problems)
