"""Foreign words in answers: they pass the guard once more on their way out.

What is recorded was guarded when it was written. What was recorded before a rule of the guard was
added, or by a program without it, is shown by today's rules.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from copilot_core.guarding.guard import Sink, guard

_KEPT: Final = 8_192
"""Texts whose guarded form is remembered: the same sentences are asked for again and again, and one
takes 0.2 ms. Some 4 MB."""


@lru_cache(maxsize=_KEPT)
def shown(text: str) -> str:
    """A text as people may see it."""
    return guard(text, Sink.SHOWN)
