"""Where secrets stand in a text.

Theory of operation. Finders, from the surest to the vaguest. Each sees what the ones before left: a
stretch that was found, or is known to be no secret, is covered by a character that takes part in no
rule. Spans are of the text that was given.

    markers    what a guard wrote before: guarding twice changes nothing
    pem        from -----BEGIN … to its -----END, or to the end of the text
    urls, dsns, addresses    `copilot_core.guarding.secret_addresses`
    headers, named           `copilot_core.guarding.secret_values`
    prefixed   keys whose issuer gave them a form
    open ids   UUIDs, and whatever is called a digest or an id: no secrets
    chance     long runs that look like made by chance (`copilot_core.guarding.randomness`)

Linear in the length of the text: every expression is a literal, or one character class repeated,
or bounded by a number; a scan goes on where the last one ended. The sum of the bounds is some
hundreds of steps per character in the worst case, a handful in a log line.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from copilot_core.guarding.randomness import is_random
from copilot_core.guarding.secret_addresses import addresses, dsns, urls
from copilot_core.guarding.secret_shapes import PREFIXES, Secret
from copilot_core.guarding.secret_spans import (
    COVER,
    NOT_SPACE,
    Found,
    Spans,
    followed,
    is_words,
    without_tail,
)
from copilot_core.guarding.secret_values import headers, is_open_name, named


def secrets_found(text: str) -> tuple[Found, ...]:
    """Every secret in a text, in order; spans do not overlap. `text` should be a skeleton."""
    found: list[Found] = []
    left = text.replace(COVER, " ")
    for finder in _FINDERS:
        spans = sorted(finder(left), key=lambda span: span[:2])
        if not spans:
            continue
        parts, at = [], 0
        for start, end, secret in spans:
            if start < at or start >= end:
                continue
            parts += (left[at:start], COVER * (end - start))
            at = end
            if secret is not None:
                found.append(Found(start, end, secret))
        left = "".join((*parts, left[at:]))
    return tuple(sorted(found, key=lambda f: f.start))


# --- markers of our own, keys in armour ----------------------------------------------------------

_MARKER: Final = re.compile(r"\[(?:" + "|".join(re.escape(s) for s in Secret) + r")\]")


def _markers(text: str) -> Spans:
    """What a guard wrote before: guarding twice changes nothing."""
    for match in _MARKER.finditer(text):
        yield match.start(), match.end(), None


_BEGIN: Final = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}-----")


def _pem(text: str) -> Spans:
    at = 0
    while begin := _BEGIN.search(text, at):
        end = text.find("-----END", begin.end())
        close = text.find("-----", end + 8) if end >= 0 else -1
        at = close + 5 if close >= 0 else len(text)
        yield begin.start(), at, Secret.PEM


# --- forms of issuers -----------------------------------------------------------------------------

_PREFIXED: Final = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    + "|".join(f"{p.starts}{p.alphabet}{{{p.least},512}}" for p in PREFIXES)
    + ")"
)
_JWT: Final = re.compile(r"(?<![A-Za-z0-9])ey[JK][A-Za-z0-9_\-=]{8,}(?:\.[A-Za-z0-9_\-=]*){0,4}")
_HOOK: Final = re.compile(
    r"(?:hooks\.slack\.com/(?:services|workflows|triggers)|discord(?:app)?\.com/api/webhooks"
    r"|[a-z0-9-]{1,63}\.webhook\.office\.com|api\.telegram\.org/bot|chat\.googleapis\.com/v1/spaces"
    r"|outlook\.office\.com/webhook)/?(?=\S)",
    re.IGNORECASE,
)
_CRYPT: Final = re.compile(
    r"\$(?:2[abxy]|[156y]|argon2(?:id|i|d)|scrypt|pbkdf2[a-z0-9-]{0,10})\$[A-Za-z0-9./+=,$\-]{16,300}"
    r"|\bSCRAM-SHA-256\$[A-Za-z0-9/+=:$]{16,300}"
)
"""Passwords as they are stored: they open nothing, until somebody has guessed them."""
_AZURE: Final = re.compile(r"(?<![A-Za-z0-9_~.\-])[A-Za-z0-9_~.\-]{3}\dQ~[A-Za-z0-9_~.\-]{28,40}")
_PGPASS: Final = re.compile(
    r"(?<![^\s\"'])[^\s:\"']{1,100}:(?:\d{2,5}|\*):[^\s:\"']{1,64}:[^\s:\"']{1,64}:(?=[^\s:])"
)


def _prefixed(text: str) -> Spans:
    for match in _JWT.finditer(text):
        yield match.start(), match.end(), Secret.JWT
    for match in _PREFIXED.finditer(text):
        if not is_words(match.group()):
            yield match.start(), match.end(), Secret.KEY
    for match, path in followed(_HOOK, NOT_SPACE, text):
        yield match.end(), without_tail(text, match.end(), path.end()), Secret.KEY
    for expression in (_AZURE, _CRYPT):
        for match in expression.finditer(text):
            yield match.start(), match.end(), Secret.KEY
    for match, secret in followed(_PGPASS, NOT_SPACE, text):
        yield match.start(), secret.end(), Secret.DSN


# --- chance ---------------------------------------------------------------------------------------

_UUID: Final = re.compile(
    r"(?<![0-9A-Fa-f])[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{1,12}"
    r"(?![0-9A-Fa-f])"
)
"""Cut ones, too: an excerpt may end in the middle of a run's id."""
_POD: Final = re.compile(
    r"(?<=[a-z0-9]-)[bcdfghjklmnpqrstvwxz2456789]{8,10}-[bcdfghjklmnpqrstvwxz2456789]{5}(?![A-Za-z0-9])"
)
"""The end of a pod's name: the hash of its template and its own, without vowels."""
_GO_VERSION: Final = re.compile(r"(?<!\d)\d{14}-[0-9a-f]{12}(?![0-9a-f])")
"""What Go calls a version that has no tag: stands in the paths of every stack trace."""
_LABELLED: Final = re.compile(
    r"(?<![A-Za-z0-9_\-])([A-Za-z_][A-Za-z0-9_\-]{0,63})[\\\"']{0,6}"
    r"(?:\s{0,2}[:=@]\s{0,2}[\\\"']{0,6}([A-Za-z0-9_\-]{16,128})|\s{1,2}([0-9a-fA-F\-]{16,128}))"
    r"(?![A-Za-z0-9+/=_.~\-])"
)
"""A name and its value; behind a mere space only what is hexadecimal."""
_STICKY: Final = re.compile(
    r"queue[\\\"']{0,6}(?:\s{0,2}[:=]\s{0,2}|\s{1,2})[\\\"']{0,6}[\w.@\-]{0,200}[-:_]"
    r"([0-9a-f]{12}[47][0-9a-f]{3}[89ab][0-9a-f]{15})(?![A-Za-z0-9])",
    re.IGNORECASE,
)
"""A worker's own queue: its identity and a UUID without dashes."""
_RUN: Final = re.compile(r"[A-Za-z0-9+/_~\-]{20,}={0,2}")
_HEX: Final = re.compile(r"(?<![0-9A-Fa-f])(?:[0-9a-f]{32,}|[0-9A-F]{32,})(?![0-9A-Fa-f])")


def _open_ids(text: str) -> Spans:
    """What looks random and is an identifier: UUIDs, and whatever is called a digest or an id."""
    for expression in (_UUID, _GO_VERSION, _POD):
        for match in expression.finditer(text):
            yield match.start(), match.end(), None
    for match in _STICKY.finditer(text):
        yield match.start(1), match.end(1), None
    for match in _LABELLED.finditer(text):
        if is_open_name(match[1]):
            yield *match.span(2 if match[2] else 3), None


def _chance(text: str) -> Spans:
    for match in _HEX.finditer(text):
        if any(c.isdigit() for c in match.group()) and not match.group().isdigit():
            yield match.start(), match.end(), Secret.KEY
    for match in _RUN.finditer(text):
        if is_random(match.group()):
            yield match.start(), match.end(), Secret.KEY


_FINDERS: Final[tuple[Callable[[str], Spans], ...]] = (
    _markers,
    _pem,
    urls,
    dsns,
    headers,
    named,
    _prefixed,
    addresses,
    _open_ids,
    _chance,
)
