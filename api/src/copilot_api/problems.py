"""Every error answer of the API: one table, one shape, one translation.

Theory of operation. An error answer is RFC 9457 `application/problem+json`. `KINDS` is the table of
all kinds there are; a kind's `type` is a path of this very server (`/problems/<code>`), where the
row can be read. Code raises the errors of `copilot_core.errors`; `problem_of` finds the kind:

    Rejected      the kind named by its `code`, `rejected` when the table has none of that name;
                  what the log holds but this program cannot read is `newer_log`
    Conflict      `conflict`
    Unavailable   `store_unavailable`, or `too_many_streams` when it is this process that is full
    Defect        `defect`, and so does every exception that nobody foresaw

What a caller did wrong is told in full, but for secrets in his words
(`copilot_core.guarding.guard`); what is our own bug is told to the log, not to the caller.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from copilot_core.errors import Conflict, CopilotError, Rejected, Unavailable
from copilot_core.guarding.guard import Sink, guard

MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER_S: Final = 5


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of problem: its HTTP status, its title, and what a caller should do about it."""

    code: str
    status: int
    title: str
    todo: str


KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        kind.code: kind
        for kind in (
            Kind("rejected", 400, "The request is wrong",
                 "correct the request"),
            Kind("bad_cursor", 400, "The cursor is not one of ours",
                 "take a cursor from an answer of this API, unchanged, or leave it out"),
            Kind("unauthenticated", 401, "The bearer token is missing or wrong",
                 "send the header Authorization: Bearer <COPILOT_API_TOKEN>"),
            Kind("not_found", 404, "There is nothing at this address",
                 "see /openapi.json for what there is"),
            Kind("unknown_cluster", 404, "No such cluster in the log",
                 "see /v1/clusters for those that were ever seen"),
            Kind("unknown_incident", 404, "No such incident of this cluster",
                 "see the cluster's /incidents"),
            Kind("not_explained", 404, "Nothing was said of this event",
                 "see the cluster's /explanations; words come about a second after the event"),
            Kind("no_config", 404, "No configuration of this cluster was ever emitted",
                 "emit one: temporal-dsql-config compile PRESET --cluster ID --emit"),
            Kind("unknown_config", 404, "No such configuration of this cluster",
                 "see the cluster's /config/history"),
            Kind("before_first_event", 404, "Nothing was recorded at that time yet",
                 "ask for a later time"),
            Kind("method_not_allowed", 405, "The API is read with GET",
                 "use a method named in the Allow header"),
            Kind("conflict", 409, "Somebody else wrote first",
                 "ask again"),
            Kind("invalid_parameter", 422, "A parameter has no possible value",
                 "correct the parameters named in findings"),
            Kind("unknown_signal", 422, "No such signal",
                 "see /v1/signals for their names"),
            Kind("limit_exceeded", 422, "More was asked for than one answer holds",
                 "ask for less; detail names the limit"),
            Kind("defect", 500, "A bug of ours",
                 "look in the API's log for the line with this instance"),
            Kind("newer_log", 500, "The log holds what only a newer program can read",
                 "upgrade the API to the version of the worker"),
            Kind("store_unavailable", 503, "The log or its views cannot be read",
                 "ask again; /v1/clusters/{cluster}/status shows the last known state meanwhile"),
            Kind("too_many_streams", 503, "All event streams are taken",
                 "close a stream, or raise COPILOT_API_MAX_STREAMS"),
        )
    }
)  # fmt: skip


class TooManyStreams(Unavailable):
    """Every event stream that this process may serve is taken."""


_OF_CODE: Final = {"unknown_type": "newer_log", "unknown_version": "newer_log"}
"""Codes of `copilot_core.events.decode`: what is stored is at fault, not who asks."""

_OF_STATUS: Final = {404: "not_found", 405: "method_not_allowed"}


class Problem(BaseModel):
    """The body of every error answer."""

    type: str = Field(description="path on this server where the kind of problem is explained")
    title: str = Field(description="the kind of problem in one sentence")
    status: int = Field(description="the HTTP status, repeated")
    detail: str = Field(description="what happened this time")
    instance: str = Field(description="the path that was asked for")
    todo: str = Field(description="the next step for the caller")
    findings: list[str] = Field(default=[], description="every finding, when there are several")


def problem(
    code: str, detail: str, *, instance: str, todo: str = "", findings: Sequence[str] = ()
) -> Problem:
    """A problem of the kind `code`, which has to be a row of `KINDS`."""
    kind = KINDS[code]
    return Problem(
        type=f"/problems/{kind.code}", title=kind.title, status=kind.status,
        detail=guard(detail, Sink.PROBLEM), instance=guard(instance, Sink.PROBLEM),
        todo=todo or kind.todo, findings=[guard(found, Sink.PROBLEM) for found in findings],
    )  # fmt: skip


def problem_of(error: BaseException, *, instance: str) -> Problem:
    """The problem that tells a caller about an error."""
    match error:
        case Rejected():
            code = _OF_CODE.get(error.code, error.code)
            code = code if code in KINDS else "rejected"
            detail = f"{error.what} ({error.where})" if error.where else error.what
            findings = error.findings if len(error.findings) > 1 else ()
            return problem(code, detail, instance=instance, todo=error.todo, findings=findings)
        case Unavailable():
            code = "too_many_streams" if isinstance(error, TooManyStreams) else "store_unavailable"
            return problem(code, error.what, instance=instance, todo=error.todo)
        case Conflict():
            return problem("conflict", error.what, instance=instance, todo=error.todo)
        case _:
            return problem(
                "defect", "the answer could not be made because of a bug", instance=instance
            )


def response_of(found: Problem, *, headers: Mapping[str, str] | None = None) -> Response:
    """The HTTP answer that carries a problem."""
    extra = {"Cache-Control": "no-store", **(headers or {})}
    if found.status == HTTPStatus.SERVICE_UNAVAILABLE:
        extra["Retry-After"] = str(RETRY_AFTER_S)
    if found.status == HTTPStatus.UNAUTHORIZED:
        extra["WWW-Authenticate"] = 'Bearer realm="copilot"'
    return Response(
        orjson.dumps(found.model_dump()),
        status_code=found.status,
        media_type=MEDIA_TYPE,
        headers=extra,
    )


def install(app: FastAPI) -> None:
    """Make an app answer every foreseen error with a problem."""
    app.add_exception_handler(CopilotError, _copilot_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_exception)


async def _copilot_error(request: Request, error: Exception) -> Response:
    return response_of(problem_of(error, instance=request.url.path))


async def _validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    findings = [_finding(found) for found in error.errors()]
    code = (
        "limit_exceeded"
        if all(f["type"] in _TOO_MUCH for f in error.errors())
        else "invalid_parameter"
    )
    return response_of(problem(code, findings[0], instance=request.url.path, findings=findings))


_TOO_MUCH: Final = frozenset({"less_than_equal", "too_long", "string_too_long"})
"""Pydantic's names for "above the documented maximum"; its message repeats the maximum."""


def _finding(found: Mapping[str, object]) -> str:
    place = found["loc"]
    assert isinstance(place, tuple)
    return f"{'.'.join(str(part) for part in place[1:])}: {found['msg']}"


async def _http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = _OF_STATUS.get(error.status_code, "rejected")
    detail = f"{request.method} {request.url.path}: {error.detail}"
    return response_of(problem(code, detail, instance=request.url.path), headers=error.headers)
