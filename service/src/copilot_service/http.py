"""Three questions that may be asked of any process: is it alive, is it ready, how is it doing.

GET /healthz   200 while something moves, 503 when nothing did for too long
GET /readyz    200 when every condition holds, 503 with the ones that do not
GET /metrics   Prometheus text; the values of labels pass the guard (`copilot_core.guarding.guard`)
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager
from functools import lru_cache

from aiohttp import web
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from copilot_core.errors import Unavailable
from copilot_core.guarding.guard import Sink, guard_named
from copilot_service.vital_signs import VitalSigns


class GuardedRegistry(Collector):
    """A registry whose labels may be shown to whoever reads metrics."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterator[Metric]:
        """Every metric, as the registry tells it, with guarded labels."""
        for metric in self._registry.collect():
            metric.samples = [
                sample._replace(labels={k: _label(k, v) for k, v in sample.labels.items()})
                for sample in metric.samples
            ]
            yield metric


@lru_cache(maxsize=4096)
def _label(name: str, value: str) -> str:
    return guard_named(name, value, Sink.METRIC)


def _routes(
    name: str, signs: VitalSigns, registry: CollectorRegistry, stopping: Callable[[], bool]
) -> list[web.RouteDef]:
    async def healthz(_: web.Request) -> web.Response:
        body = {
            "service": name,
            "live": not signs.stuck(),
            "seconds_since_progress": round(signs.still_for_s(), 3),
        }
        return web.json_response(body, status=503 if signs.stuck() else 200)

    async def readyz(_: web.Request) -> web.Response:
        ready = signs.ready() and not stopping()
        body = {
            "service": name,
            "ready": ready,
            "stopping": stopping(),
            "waiting_for": signs.waiting_for(),
        }
        return web.json_response(body, status=200 if ready else 503)

    async def metrics(request: web.Request) -> web.Response:
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        body = encode(GuardedRegistry(registry))
        return web.Response(body=body, headers={"Content-Type": content_type})

    return [web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", metrics)]


@asynccontextmanager
async def serving(
    name: str,
    signs: VitalSigns,
    registry: CollectorRegistry,
    *,
    host: str,
    port: int,
    stopping: Callable[[], bool],
) -> AsyncGenerator[None]:
    """Answer the three questions on `host:port` while the block runs; port 0 opens nothing.

    Raises `Unavailable` when the address cannot be bound.
    """
    if port == 0:
        yield
        return
    app = web.Application()
    app.add_routes(_routes(name, signs, registry, stopping))
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as e:
            raise Unavailable(
                f"cannot listen on {host}:{port}: {e.strerror}",
                where="COPILOT_SERVICE_PORT",
                todo="free the port or choose another",
            ) from e
        yield
    finally:
        await runner.cleanup()
