"""The process boundary of a request: what is measured, and what becomes of a bug.

Outermost of all layers, so that it sees every answer, also those of the layers between. An
exception that nobody foresaw is counted, logged with its traceback under the path it happened at,
and answered as the problem `defect`, which tells the caller nothing about our insides.
"""

from __future__ import annotations

import time
import traceback
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from copilot_api.problems import problem_of, response_of

log = structlog.get_logger(__name__)

BUCKETS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
NO_ROUTE: Final = "none"
"""Label of requests that no route answers: paths that callers make up must not become labels."""


class Boundary:
    """ASGI middleware around everything else.

    Metrics: requests by route, method and status, and seconds until an answer began (an event
    stream begins at once and goes on for hours), both by route.
    """

    def __init__(self, app: ASGIApp, *, registry: CollectorRegistry) -> None:
        self._app = app
        self._requests = Counter(
            "copilot_api_requests_total", "Answers, by route and status",
            ["route", "status"], registry=registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "copilot_api_request_seconds", "Seconds until an answer began",
            ["route"], buckets=BUCKETS_S, registry=registry,
        )  # fmt: skip
        self._defects = Counter(
            "copilot_api_defects_total", "Requests answered 500 because of a bug",
            ["route"], registry=registry,
        )  # fmt: skip

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        answered = False

        async def measured(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = True
                route = _route(scope)
                self._seconds.labels(route).observe(time.perf_counter() - began)
                self._requests.labels(route, message["status"]).inc()
            await send(message)

        try:
            await self._app(scope, receive, measured)
        except Exception as e:  # noqa: BLE001 - the process boundary
            self._defects.labels(_route(scope)).inc()
            # As text: a renderer that draws local variables would draw the token in the headers.
            told = "".join(traceback.format_exception(e))
            log.error("a request ended in a bug", instance=scope["path"], exception=told)  # noqa: TRY400
            if not answered:
                refusal = response_of(problem_of(e, instance=scope["path"]))
                await refusal(scope, receive, measured)


def _route(scope: Scope) -> str:
    return getattr(scope.get("route"), "path", NO_ROUTE)
