"""Parameters that several routes take, each with its limits.

A limit is written where OpenAPI shows it; what exceeds it is refused with the limit in the answer.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Path, Query
from whenever import Instant

from copilot_api.call import Called
from copilot_api.cursors import MAX_CURSOR_CHARS
from copilot_api.instants import When, rfc3339
from copilot_core.errors import Rejected
from copilot_projections.views.timeline import TYPES, USUAL

DAY_S: Final = 86_400
MAX_SPAN_DAYS: Final = 92
DEFAULT_SPAN_DAYS: Final = 1
MAX_ROWS: Final = 1000

Cluster = Annotated[
    str, Path(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$", description="id of a cluster")
]
Limit = Annotated[int, Query(ge=1, le=MAX_ROWS, description="rows on one page")]
Cursor = Annotated[
    str | None,
    Query(max_length=MAX_CURSOR_CHARS, description="read behind this; from the header `Link`"),
]
_From = Annotated[
    When | None,
    Query(
        alias="from",
        description=f"begin, inclusive; default {DEFAULT_SPAN_DAYS} day before `to`, "
        f"at most {MAX_SPAN_DAYS} days before it",
    ),
]
_To = Annotated[When | None, Query(description="end, exclusive; default now")]


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of event time [since, until), at most `MAX_SPAN_DAYS` long."""

    since: Instant
    until: Instant

    def parameters(self) -> dict[str, str]:
        """The span as it is asked for, so that a next page is about the same span."""
        return {"from": rfc3339(self.since), "to": rfc3339(self.until)}


async def _span(call: Called, from_: _From = None, to: _To = None) -> Span:
    until = to or _next_minute(call.now)
    since = from_ or until.subtract(seconds=DEFAULT_SPAN_DAYS * DAY_S)
    seconds = (until - since).total("seconds")
    if seconds <= 0:
        raise Rejected(
            f"from ({rfc3339(since)}) is not before to ({rfc3339(until)})",
            code="invalid_parameter",
            todo="swap them, or leave out the one that you do not mean",
        )
    if seconds > MAX_SPAN_DAYS * DAY_S:
        raise Rejected(
            f"from and to are {seconds / DAY_S:.1f} days apart; the limit is {MAX_SPAN_DAYS} days",
            code="limit_exceeded",
            todo="ask for a shorter span, one after the other",
        )
    return Span(since, until)


def _next_minute(now: Instant) -> Instant:
    """A default end that stays the same for a minute, so that answers can be revalidated."""
    return Instant.from_timestamp(now.timestamp() // 60 * 60 + 60)


Spanned = Annotated[Span, Depends(_span)]

_EntryTypes = Annotated[
    list[str],
    Query(
        alias="type",
        max_length=len(TYPES),
        description=f"only entries of this type, may be repeated: {', '.join(sorted(TYPES))}; "
        "default all but calls of models",
    ),
]


async def _entry_types(types: _EntryTypes = []) -> frozenset[str]:  # noqa: B006 - FastAPI copies it
    check_types(types, TYPES)
    return frozenset(types) or USUAL


EntryTypes = Annotated[frozenset[str], Depends(_entry_types)]


def check_types(types: Collection[str], all_types: Collection[str]) -> None:
    """Raise `Rejected` for types of events that are none: a slip would wait for ever in vain."""
    findings = tuple(f"type: {name!r} is none of ours" for name in types if name not in all_types)
    if findings:
        raise Rejected(
            findings[0],
            code="invalid_parameter",
            findings=findings,
            todo=f"the types are {', '.join(sorted(all_types))}",
        )
