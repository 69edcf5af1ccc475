"""The app: every layer and every route on one screen.

A request passes, from the outside in: the boundary (metrics, bugs), the token, the routes. A new
route is a file in `routes/` and a line below.
"""

from __future__ import annotations

from typing import Final

from fastapi import FastAPI
from pydantic import SecretStr

from copilot_api import caching, openapi, problems
from copilot_api.auth import BearerToken
from copilot_api.boundary import Boundary
from copilot_api.deps import Deps
from copilot_api.routes import (
    annotations,
    bottleneck,
    causes,
    clusters,
    config,
    events,
    explanations,
    health,
    incidents,
    issues,
    log_patterns,
    services,
    signals,
    stream,
    timeline,
)
from copilot_api.routes import problems as problem_kinds

API_VERSION: Final = "1.2.0"
"""Of the contract, not of the program: the number of the document in tests/golden/openapi.json."""

ROUTERS: Final = (
    clusters.router,
    services.router,
    timeline.router,
    signals.router,
    incidents.router,
    issues.router,
    causes.router,
    explanations.router,
    bottleneck.router,
    log_patterns.router,
    config.router,
    annotations.router,
    events.router,
    stream.router,
    health.router,
    problem_kinds.router,
)


def described() -> FastAPI:
    """The routes with nothing behind them: enough for the OpenAPI document, not to be served."""
    app = FastAPI(
        title="Temporal SRE Copilot",
        version=API_VERSION,
        description=openapi.DESCRIPTION,
        docs_url=None,  # both pages load scripts from other people's servers
        redoc_url=None,
        redirect_slashes=False,  # a redirect would name the host that the caller claims
    )
    for router in ROUTERS:
        app.include_router(router)
    openapi.install(app)
    return app


def build_app(deps: Deps, *, token: SecretStr | None) -> FastAPI:
    """The API over its parts; without a token it is open to everybody who reaches it."""
    app = described()
    app.state.deps = deps
    app.state.query_parameters = openapi.query_parameters(app.openapi())
    problems.install(app)
    app.add_exception_handler(caching.NotModified, caching.not_modified)
    if token is not None:
        app.add_middleware(BearerToken, token=token)
    app.add_middleware(Boundary, registry=deps.registry)
    return app
