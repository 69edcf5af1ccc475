"""The API process: the one place where its parts are built."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Final

import structlog
import uvicorn
from prometheus_client import CollectorRegistry
from whenever import Instant

from copilot_api.app import build_app
from copilot_api.deps import Deps
from copilot_api.last_known import LastKnown
from copilot_api.seats import Seats
from copilot_api.settings import ApiSettings
from copilot_api.store import Store
from copilot_api.watch import Watch
from copilot_core.errors import Unavailable
from copilot_eventlog.connect import open_pool
from copilot_eventlog.postgres import PostgresLog
from copilot_projections.reader import ViewReader
from copilot_service import Service, run_process
from copilot_service.vital_signs import VitalSigns

log = structlog.get_logger(__name__)

DRAIN_SHARE: Final = 0.5
"""Share of `stop_timeout_s` that open requests have to end; the rest is for closing."""


@contextlib.asynccontextmanager
async def wired(
    settings: ApiSettings,
    *,
    registry: CollectorRegistry,
    signs: VitalSigns,
    now: Callable[[], Instant] = Instant.now,
) -> AsyncGenerator[Deps]:
    """The parts of an API over the database that the settings name, closed at the end.

    `now` is the clock that answers are dated by.
    """
    pool = await open_pool(settings)
    try:
        event_log, views = PostgresLog(pool), ViewReader(pool)
        store = Store(timeout_s=settings.api_store_timeout_s, registry=registry)
        last_known = LastKnown()
        watch = Watch(
            event_log,
            store,
            period_s=settings.api_watch_s,
            remember=lambda: last_known.refresh(views, store, now=now()),
            progress=signs.progress,
        )
        yield Deps(
            views=views,
            log=event_log,
            store=store,
            watch=watch,
            last_known=last_known,
            seats=Seats(settings.api_max_streams, registry=registry),
            signs=signs,
            registry=registry,
            heartbeat_s=settings.api_heartbeat_s,
            now=now,
        )
    finally:
        pool.terminate()  # a polite close would wait for a database that is away


async def serve(service: Service, settings: ApiSettings) -> None:
    """Answer requests until the process is asked to stop."""
    with _listening(settings.api_host, settings.api_port) as listener:
        async with wired(settings, registry=service.registry, signs=service.signs) as deps:
            app = build_app(deps, token=settings.token)
            server = _Server(
                uvicorn.Config(
                    app,
                    lifespan="off",
                    log_config=None,
                    access_log=False,
                    server_header=False,
                    timeout_graceful_shutdown=max(1, int(settings.stop_timeout_s * DRAIN_SHARE)),
                )
            )
            host, port = listener.getsockname()[:2]
            log.info("listening", host=host, port=port, token=settings.token is not None)
            async with asyncio.TaskGroup() as tasks:
                watching = tasks.create_task(deps.watch.run())
                tasks.create_task(_ended(server, deps, service.stopping))
                await server.serve(sockets=[listener])
                watching.cancel()


async def _ended(server: uvicorn.Server, deps: Deps, stopping: asyncio.Event) -> None:
    await stopping.wait()
    deps.watch.close()  # event streams end by themselves, so that open requests can be waited for
    server.should_exit = True


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: `Service` has them."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


@contextlib.contextmanager
def _listening(host: str, port: int) -> Generator[socket.socket]:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family)
    except OSError as e:
        raise Unavailable(
            f"cannot listen on {host}:{port}: {e.strerror}",
            where="COPILOT_API_HOST, COPILOT_API_PORT",
            todo="free the port or choose another",
        ) from e
    with listener:
        yield listener


def main() -> int:
    """Run the API that the environment describes; returns the exit code."""
    return run_process("api", ApiSettings, serve)


if __name__ == "__main__":
    sys.exit(main())
