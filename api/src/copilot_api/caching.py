"""Conditional requests: an answer is named by how far its view had read the log.

Theory of operation. A view only changes when its checkpoint moves, so the checkpoint names the
answer. The tag is taken *before* the rows are read: rows newer than their tag cost one request too
many, rows older than their tag would hide news. The tag also holds whatever else the answer says
that can change without the log: whether it is still current, and whether it is stale. Ages in
seconds stay out, which is why tags are weak (`W/`): equal in meaning, not in bytes.

    private, no-cache             may be kept, has to be asked about each time (304 when unchanged)
    private, max-age, immutable   a full page of the raw log: what is recorded never changes
    no-store                      problems and stale answers
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

REVALIDATE: Final = "private, no-cache"
IMMUTABLE: Final = "private, max-age=86400, immutable"
NO_STORE: Final = "no-store"


def etag(*parts: object) -> str:
    """A weak entity tag over parts that name an answer; equal parts give equal tags."""
    text = "\x1f".join(str(part) for part in parts)
    return f'W/"{blake2b(text.encode(), digest_size=12).hexdigest()}"'


def matches(if_none_match: str | None, tag: str) -> bool:
    """True when the caller holds this answer already (RFC 9110: weak comparison, `*` for any)."""
    if if_none_match is None:
        return False
    held: Iterable[str] = (part.strip() for part in if_none_match.split(","))
    bare = tag.removeprefix("W/")
    return any(part == "*" or part.removeprefix("W/") == bare for part in held)


class NotModified(Exception):
    """The caller holds the answer already; ends a route early, answered as 304 with the tag."""

    def __init__(self, tag: str) -> None:
        self.tag = tag
        super().__init__(tag)


def revalidate(
    request: Request, response: Response, *parts: object, control: str = REVALIDATE
) -> None:
    """Tag an answer by its parts; raises `NotModified` when the caller holds it already."""
    tag = etag(*parts)
    if matches(request.headers.get("if-none-match"), tag):
        raise NotModified(tag)
    response.headers["ETag"] = tag
    response.headers["Cache-Control"] = control


async def not_modified(_: Request, outcome: Exception) -> Response:
    """The answer 304, which repeats the tag."""
    assert isinstance(outcome, NotModified)
    return Response(status_code=304, headers={"ETag": outcome.tag, "Cache-Control": REVALIDATE})
