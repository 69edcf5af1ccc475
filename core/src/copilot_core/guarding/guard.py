"""The one door for foreign text: whatever others wrote passes here before it goes anywhere.

Theory of operation. Log lines, labels, names of workflows, addresses, what a colleague gives as his
reason: all of it is chosen by others, and may hold what must not spread (keys, passwords, addresses
of databases and people) or may look like what it is not. `guard` is one function for every place
where such text ends up; a *sink* is a row of `LIMITS`, and nothing is decided per sink but how long
the text may be, and whether it may have several lines.

    plain      invisible, bidirectional, lookalike and control characters go (`plain_text`)
    secrets    what is found becomes `[key]`, `[password]`, `[ip]` … (`secrets_found`)
    bounded    cut, with an ellipsis; a secret on the edge is found before the cut

The function is pure and linear, and guarding twice is guarding once.

A prompt takes more: no foreign words at all. `prompt_text` and `prompt_value` of
`copilot_core.guarding.pseudonyms` put names in the place of names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from copilot_core.guarding.plain_text import one_line, plain, skeleton
from copilot_core.guarding.secret_shapes import CREDENTIALS, Secret
from copilot_core.guarding.secret_spans import Found
from copilot_core.guarding.secret_values import is_open_name, is_secret_name
from copilot_core.guarding.secrets_found import secrets_found

__all__ = [
    "CREDENTIALS",
    "LIMITS",
    "Leak",
    "Limit",
    "Secret",
    "Sink",
    "guard",
    "guard_named",
    "leaks",
]

ELLIPSIS: Final = "…"


class Sink(StrEnum):
    """Where a text ends up."""

    EVENT = "event"
    """A field of an event: the log of events keeps it for ever."""
    LOG = "log"
    """A line of our own logs, tracebacks included."""
    METRIC = "metric"
    """The value of a label."""
    BUNDLE = "bundle"
    """A recording, or anything else that is handed on as a file."""
    PROBLEM = "problem"
    """What the API tells a caller, and what the command line prints of others' words."""
    SHOWN = "shown"
    """A sentence for people: explanations, pages, captions."""
    PROMPT = "prompt"
    """What a model reads; see `copilot_core.guarding.pseudonyms`."""


@dataclass(frozen=True, slots=True)
class Limit:
    """How many characters a sink takes, and whether on several lines."""

    characters: int
    lines: bool = False


LIMITS: Final[Mapping[Sink, Limit]] = MappingProxyType(
    {
        Sink.EVENT: Limit(2_000),
        Sink.LOG: Limit(20_000, lines=True),
        Sink.METRIC: Limit(128),
        Sink.BUNDLE: Limit(2_000),
        Sink.PROBLEM: Limit(2_000),
        Sink.SHOWN: Limit(2_000),
        Sink.PROMPT: Limit(20_000, lines=True),
    }
)


def guard(text: str, sink: Sink, *, limit: int | None = None) -> str:
    """Foreign text as it may go into a sink; `limit` is a shorter one than the sink's own."""
    most = LIMITS[sink].characters if limit is None else min(limit, LIMITS[sink].characters)
    seen = plain(_window(text, most))
    if not LIMITS[sink].lines:
        seen = one_line(seen)
    found = secrets_found(skeleton(seen))
    return _cut(_replaced(seen, found), most)


def guard_named(name: str, text: str, sink: Sink, *, limit: int | None = None) -> str:
    """The value of a field as it may go into a sink: its name tells what the text alone does not.

    What is called a password goes whole; what is called a digest or an id stays, when it is one
    word.
    """
    if is_secret_name(name) and text:
        return f"[{Secret.PASSWORD}]"
    if is_open_name(name) and _ONE_ID.fullmatch(text):
        return text
    return guard(text, sink, limit=limit)


_ONE_ID: Final = re.compile(r"[A-Za-z0-9_\-]{1,128}")


@dataclass(frozen=True, slots=True)
class Leak:
    """A secret in a text that should hold none: what it is, and the line it stands on, from 1."""

    secret: Secret
    line: int


def leaks(text: str) -> tuple[Leak, ...]:
    """Every secret in a text, in order: for refusing it rather than cleaning it.

    `CREDENTIALS` holds those that open something; e-mail and IP addresses are the others.
    """
    seen = plain(text)
    found = secrets_found(skeleton(seen))
    return tuple(Leak(f.secret, seen.count("\n", 0, f.start) + 1) for f in found)


def _window(text: str, most: int) -> str:
    """The beginning of a text that can matter: a multiple of what is kept, not megabytes.

    It ends between two words where one is near, so that no secret is cut in half and missed.
    """
    width = 4 * most + 4_096
    if len(text) <= width:
        return text
    head = text[:width]
    blank = max(head.rfind(" "), head.rfind("\n"))
    return head[:blank] if blank > width // 2 else head[:most]


def _replaced(text: str, found: tuple[Found, ...]) -> str:
    parts, at = [], 0
    for secret in found:
        parts += (text[at : secret.start], f"[{secret.secret}]")
        at = secret.end
    return "".join((*parts, text[at:]))


_OPEN_MARKER: Final = re.compile(r"\[[a-z-]{0,12}$")


def _cut(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    return _OPEN_MARKER.sub("", text[: most - 1]) + ELLIPSIS
