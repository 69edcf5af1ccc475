"""Stretches of a text that hold a secret, and the small questions that all finders ask.

A *finder* is a function from a text to spans; `copilot_core.guarding.secrets_found` runs them one
after the other. What one found is covered by `COVER`, a character that takes part in no rule.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from copilot_core.guarding.secret_shapes import Secret

COVER: Final = "\x00"


@dataclass(frozen=True, slots=True)
class Found:
    """A secret: characters `start` to `end`, and what it is."""

    start: int
    end: int
    secret: Secret


Spans = Iterator[tuple[int, int, Secret | None]]
"""Start, end, and what is there; None for what is known to be no secret."""

NOT_SPACE: Final = re.compile(r"[^\s\"'<>\\\x00]+")
TAIL: Final = ".,;:)}]>\"'`\\"


def followed(
    expression: re.Pattern[str], rest: re.Pattern[str], text: str
) -> Iterator[tuple[re.Match[str], re.Match[str]]]:
    """Each match with what follows it; the search goes on behind that, so it stays linear."""
    at = 0
    while match := expression.search(text, at):
        at = match.end()
        if follows := rest.match(text, at):
            at = follows.end()
            yield match, follows


def without_tail(text: str, begin: int, end: int) -> int:
    while end > begin + 1 and text[end - 1] in TAIL:
        end -= 1
    return end


def is_words(text: str) -> bool:
    """Ordinary words: letters alone, in one case each, maybe joined by signs of a sentence."""
    return all(
        part.isalpha() and (part.islower() or part.isupper() or part.istitle())
        for part in re.split(r"[-_/.,:;()]+", text)
        if part
    )
