"""Is this process alive, is it ready, how is it doing: for supervisors and Prometheus.

Ready means that the store has been reached since the start, not that it answers now: an API that is
taken out of service because the database is away could not tell anybody that it is away. The body
says so, and `copilot_api_store_up` is what to alert on.
"""

from __future__ import annotations

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel, Field

from copilot_api.call import Called

router = APIRouter(tags=["process"])


class Health(BaseModel):
    """Answer of /healthz."""

    service: str = "api"
    live: bool
    seconds_since_progress: float


class Readiness(BaseModel):
    """Answer of /readyz."""

    service: str = "api"
    ready: bool
    store: str = Field(description="`answers`, or why it does not")
    waiting_for: dict[str, str] = Field(description="conditions that do not hold, with the reason")


@router.get("/healthz", responses={503: {"model": Health}})
async def healthz(call: Called, response: Response) -> Health:
    """200 while something moves, 503 when nothing did for COPILOT_NO_PROGRESS_EXIT_S."""
    live = not call.deps.signs.stuck()
    response.status_code = 200 if live else 503
    return Health(live=live, seconds_since_progress=round(call.deps.signs.still_for_s(), 3))


@router.get("/readyz", responses={503: {"model": Readiness}})
async def readyz(call: Called, response: Response) -> Readiness:
    """200 once the store has been reached and while the process is not stopping, else 503."""
    ready = call.deps.store.reached and call.deps.signs.ready() and not call.deps.watch.closed
    response.status_code = 200 if ready else 503
    return Readiness(
        ready=ready,
        store=call.deps.store.away_because
        or ("answers" if call.deps.store.reached else "not reached yet"),
        waiting_for=call.deps.signs.waiting_for(),
    )


@router.get("/metrics", response_class=Response)
async def metrics(call: Called) -> Response:
    """Prometheus text of this process's own metrics."""
    return Response(generate_latest(call.deps.registry), media_type=CONTENT_TYPE_LATEST)
