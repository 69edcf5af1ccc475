"""The OpenAPI document: what FastAPI derives from the routes, with our error answers put in.

FastAPI documents its own validation answer, which this API never gives. Every operation answers
errors in one shape, so the shape is written once, here, and not at every route.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from copilot_api.auth import OPEN_PATHS
from copilot_api.problems import KINDS, MEDIA_TYPE, Problem

DESCRIPTION: Final = """\
Is this Temporal cluster making forward progress on workflows? Since when, why, and how sure.

Lists answer a flat JSON array of rows, ready for Grafana's JSON and Infinity data sources. Each
time is given twice: RFC 3339 in UTC, and milliseconds since 1970 in a column ending in `_ms`. Times
in requests are RFC 3339 or Unix seconds. A page's header `Link` with `rel="next"` leads to the next
page. Answers carry an `ETag`; a request with `If-None-Match` gets 304 while nothing has changed.
Every error is `application/problem+json` (RFC 9457).
"""

_PARAMETER_PROBLEMS: Final = ("400", "404", "422")


def install(app: FastAPI) -> None:
    """Make an app serve this document, built once, at the first request for it."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = openapi


def query_parameters(document: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """Path to the names of the query parameters that it takes."""
    return {
        path: frozenset(
            p["name"] for p in operations["get"].get("parameters", ()) if p["in"] == "query"
        )
        for path, operations in document["paths"].items()
    }


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    schemas["Problem"] = Problem.model_json_schema()
    document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    for path, operations in document["paths"].items():
        for operation in operations.values():
            responses = operation["responses"]
            responses.pop("422", None)
            if path not in OPEN_PATHS:
                operation["security"] = [{"token": []}]
                responses |= {status: _problem(status) for status in _statuses(operation)}
            if "application/json" in responses["200"].get("content", {}) and path.startswith("/v1"):
                responses["304"] = {"description": "Nothing has changed since this ETag"}
    return document


def _statuses(operation: dict[str, Any]) -> tuple[str, ...]:
    given = _PARAMETER_PROBLEMS if operation.get("parameters") else ()
    return ("401", *given, "500", "503")


def _problem(status: str) -> dict[str, Any]:
    titles = (kind.title for kind in KINDS.values() if str(kind.status) == status)
    return {
        "description": "; ".join(titles),
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
