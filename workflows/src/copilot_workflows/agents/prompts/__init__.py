"""Prompts: one file each, and the version that explanations record.

A version is the beginning of the SHA-256 of the text: it cannot be forgotten when a word changes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt and its version, `researcher-1a2b3c4d5e6f`."""

    text: str
    version: str


def prompt(name: str) -> Prompt:
    """The prompt `<name>.md` of this folder."""
    text = (files(__name__) / f"{name}.md").read_text("utf-8")
    return Prompt(text, f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:12]}")
