"""Cursors: where a reader of the log stands, as an opaque string.

Theory of operation. A *place* is a shard (`shard/3`, counted in positions from 0) or a stream
(`health/prod`, counted in versions from 1). A cursor maps places to the last number already seen.
One form serves every use: a page of the raw log stands at one place, a server-sent event stream at
all places that it follows. Callers hand a cursor back unchanged; what it looks like may change.
"""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection, Mapping
from typing import Final

import orjson

from copilot_core.errors import Rejected

SHARD_KIND: Final = "shard"
MAX_CURSOR_CHARS: Final = 8192
_MAX_NUMBER: Final = 2**63 - 1

Cursor = Mapping[str, int]


def shard_place(shard: int) -> str:
    """The place that stands for a shard."""
    return f"{SHARD_KIND}/{shard}"


def write(cursor: Cursor) -> str:
    """A cursor as callers see it: URL-safe, without padding."""
    body = orjson.dumps(dict(cursor), option=orjson.OPT_SORT_KEYS)
    return urlsafe_b64encode(body).decode().rstrip("=")


def read(text: str, *, places: Collection[str] | None = None) -> dict[str, int]:
    """Read a cursor back.

    `places` are those that the request is about, of which a cursor names some; a cursor of other
    places was taken from another request. None accepts any set of shards. Raises `Rejected` (code
    `bad_cursor`).
    """
    if len(text) > MAX_CURSOR_CHARS:
        raise Rejected(f"a cursor has at most {MAX_CURSOR_CHARS} characters", code="bad_cursor")
    try:
        cursor = orjson.loads(urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4)))
    except (ValueError, binascii.Error) as e:
        raise Rejected("the cursor cannot be read", code="bad_cursor") from e
    if not isinstance(cursor, dict) or not all(map(_is_number, cursor.values())):
        raise Rejected("the cursor does not name places and numbers", code="bad_cursor")
    fits = all(map(_is_shard, cursor)) if places is None else set() < set(cursor) <= set(places)
    if not fits:
        raise Rejected("the cursor was taken from another request", code="bad_cursor")
    return cursor


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -1 <= value <= _MAX_NUMBER


def _is_shard(place: str) -> bool:
    kind, _, number = place.partition("/")
    return kind == SHARD_KIND and number.isascii() and number.isdecimal() and len(number) <= 9
