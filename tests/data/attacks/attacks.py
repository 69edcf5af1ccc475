"""Attacks on whoever reads: the payloads of `payloads.toml` wherever foreign text stands.

The same attacks on every run. A *place* builds what a part of the product receives: a line of a log
with its service, a count of a pattern, a change of configuration.
"""

from __future__ import annotations

import base64
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from copilot_core.samples import LogExcerpt

PAYLOADS: Final = Path(__file__).with_name("payloads.toml")

Disguise = Callable[[str], str]

_CYRILLIC: Final = str.maketrans(
    "aeopcyxiABEKMHOPCTX",
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425",
)


def _wide(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


_BOLD: Final = {ord("a") + n: 0x1D41A + n for n in range(26)} | {
    ord("A") + n: 0x1D400 + n for n in range(26)
}


def _accented(text: str) -> str:
    return "".join(c + "\u0301\u0302\u0303\u0304" if c.isalpha() else c for c in text)


def _in_tags(text: str) -> str:
    return "ok" + "".join(chr(0xE0000 + ord(c)) for c in text if ord(c) < 128)


DISGUISES: Final[dict[str, Disguise]] = {
    "plain": lambda text: text,
    "right to left": lambda text: f"\u202e{text[::-1]}\u202c",
    "isolated": lambda text: f"\u2067{text}\u2069",
    "zero width": lambda text: "\u200b".join(text),
    "soft hyphens": lambda text: "\u00ad".join(text),
    "joiners": lambda text: "\u2060\ufeff".join(text),
    "cyrillic": lambda text: text.translate(_CYRILLIC),
    "fullwidth": _wide,
    "mathematical": lambda text: text.translate(_BOLD),
    "tags": _in_tags,
    "accents": _accented,
    "colour": lambda text: f"\x1b[1;31m{text}\x1b[0m",
    "carriage return": lambda text: f"all quiet\r{text}",
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "percent": quote,
    "shouted": str.upper,
    "spaced": lambda text: " ".join(text),
    "json": lambda text: '{"msg":"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"}',
}


@dataclass(frozen=True, slots=True)
class Attack:
    """A payload in disguise, and the kind it is of. `said` is what it says without disguise."""

    kind: str
    disguise: str
    text: str
    said: str


def attacks() -> Iterator[Attack]:
    """Every payload plain, and in eight disguises that change from one payload to the next."""
    disguises = list(DISGUISES)[1:]
    number = 0
    for kind, payloads in tomllib.loads(PAYLOADS.read_text("utf-8")).items():
        for said in payloads:
            yield Attack(kind, "plain", said, said)
            for step in range(8):
                disguise = disguises[(number * 5 + step * 2) % len(disguises)]
                yield Attack(kind, disguise, DISGUISES[disguise](said), said)
            number += 1


LINES: Final[tuple[str, ...]] = (
    "{}",
    '{{"ts":"2026-11-23T03:07:30.123Z","level":"error","msg":"{}","shard-id":11}}',
    'level=error msg="{}" attempt=3 took=4.5s',
    "Completing activity as failed ({{'activity_type': '{}', 'namespace': 'orders'}})",
    "deadline exceeded: {}",
    "no poller for task queue {} in namespace orders",
    "GET {} 500 in 1.2s from 10.3.4.5:51234",
    "panic: {}\n\ngoroutine 17 [running]:",
    "workflow {} failed: ApplicationError: card declined",
)
"""Lines in which an attack stands."""


def line_of(attack: Attack, number: int) -> str:
    """The attack in one of the lines."""
    return LINES[number % len(LINES)].format(attack.text)


def excerpt_of(attack: Attack, number: int) -> LogExcerpt:
    """The attack as a line of a service, as it comes from a Loki: cut and nothing else."""
    line = line_of(attack, number)[:300]
    return LogExcerpt(service="history", pattern="deadline_exceeded", untrusted_text=line)
