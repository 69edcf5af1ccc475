"""An API with the log in memory and its read models out of reach: all that needs no database."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from whenever import Instant

from copilot_api.app import build_app
from copilot_api.deps import Deps
from copilot_api.last_known import LastKnown
from copilot_api.seats import Seats
from copilot_api.store import Store
from copilot_api.watch import Watch
from copilot_eventlog.connect import open_pool
from copilot_eventlog.memory import MemoryLog
from copilot_eventlog.settings import EventLogSettings
from copilot_projections.reader import ViewReader
from copilot_service.vital_signs import VitalSigns

NOBODY_THERE = "postgresql://postgres@127.0.0.1:1/postgres"
"""Port 1 is refused at once on every machine."""


@dataclass(frozen=True, slots=True)
class Api:
    """The app, its parts, and its log."""

    app: FastAPI
    deps: Deps
    log: MemoryLog

    @asynccontextmanager
    async def client(self) -> AsyncGenerator[httpx.AsyncClient]:
        """A caller in the same process; exceptions of the app are answers, as on a real server."""
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
            yield client


async def build(*, token: str | None = None, live_for_s: float = 60.0) -> Api:
    """An API whose log is in memory and whose database refuses connections."""
    registry, log = CollectorRegistry(), MemoryLog()
    signs = VitalSigns(limit_s=live_for_s)
    store = Store(timeout_s=5.0, registry=registry)

    async def nothing() -> None:
        return

    deps = Deps(
        views=ViewReader(await open_pool(EventLogSettings(log_dsn=SecretStr(NOBODY_THERE)))),
        log=log,
        store=store,
        watch=Watch(log, store, period_s=0.01, remember=nothing, progress=signs.progress),
        last_known=LastKnown(),
        seats=Seats(2, registry=registry),
        signs=signs,
        registry=registry,
        heartbeat_s=0.05,
        now=Instant.now,
    )
    return Api(build_app(deps, token=SecretStr(token) if token else None), deps, log)
