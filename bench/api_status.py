"""`status_ms`: p99 of `/v1/clusters/{cluster}/status` while a worker folds and a projector follows.

Three processes, as in production: one folds and projects `SAMPLES_PER_S` samples (200 clusters at
30 s cadence are 7 a second), one serves the API, and this one asks, one request at a time over one
connection. The reference is a bare FastAPI route that returns a constant, asked of the same server
process in turn, so both see the same machine, the same client and the same neighbours.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import socket
import time
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any, Final

import httpx
import uvicorn
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from copilot_api.app import build_app
from copilot_api.main import wired
from copilot_api.settings import ApiSettings
from copilot_core.fold import fold, initial
from copilot_core.rules import RulePack
from copilot_core.samples import Sample
from copilot_eventlog import schema
from copilot_eventlog.connect import open_pool
from copilot_eventlog.postgres import PostgresLog
from copilot_eventlog.settings import EventLogSettings
from copilot_eventlog.statements import Dialect
from copilot_projections.builds import first_build
from copilot_projections.follower import Follower, ends_of
from copilot_projections.views import VIEWS
from copilot_service.vital_signs import VitalSigns
from copilot_streams.recording import open_recording
from tests.infra.postgres import Postgres

RECORDING: Final = (
    Path(__file__).parents[1] / "tests" / "data" / "recordings" / "o1-workers-stopped.jsonl.gz"
)
CLUSTERS: Final = 20
SAMPLES_PER_S: Final = 20
MEASURE_S: Final = 20.0
WARM_UP: Final = 100
START_S: Final = 30.0
"""Longest wait for the first status to appear."""


def run() -> Iterator[Mapping[str, Any]]:
    """One figure: milliseconds at the 99th percentile."""
    spawn = multiprocessing.get_context("spawn")
    with Postgres() as server, socket.create_server(("127.0.0.1", 0)) as listener:
        dsn = server.dsn(server.create_database())
        port = listener.getsockname()[1]
        children = [
            spawn.Process(target=_fold_and_project, args=(dsn,), daemon=True),
            spawn.Process(target=_serve, args=(dsn, listener), daemon=True),
        ]
        for child in children:
            child.start()
        try:
            status_ms, bare_ms = asyncio.run(_ask(f"http://127.0.0.1:{port}"))
        finally:
            for child in children:
                child.kill()
                child.join()
    yield {
        "name": "status_ms",
        "value": round(_p99(status_ms), 3),
        "unit": "ms",
        "reference": "bare FastAPI route of the same process, p99 in ms",
        "reference_value": round(_p99(bare_ms), 3),
    }


def _p99(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.99)]


async def _ask(url: str) -> tuple[list[float], list[float]]:
    """Milliseconds of each request: for the status of a cluster, and for the bare route."""
    status_ms: list[float] = []
    bare_ms: list[float] = []
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        await _until_ready(client)
        end = time.monotonic() + MEASURE_S
        for n in count():
            path = f"/v1/clusters/cluster-{n % CLUSTERS}/status"
            for asked, into in ((path, status_ms), ("/bare", bare_ms)):
                began = time.perf_counter()
                answer = await client.get(asked)
                into.append((time.perf_counter() - began) * 1000)
                answer.raise_for_status()
            if n > 2 * WARM_UP and time.monotonic() > end:
                break
    return status_ms[WARM_UP:], bare_ms[WARM_UP:]


async def _until_ready(client: httpx.AsyncClient) -> None:
    """Return when the last cluster has a status."""
    async with asyncio.timeout(START_S):
        while True:
            answer = await client.get(f"/v1/clusters/cluster-{CLUSTERS - 1}/status")
            if answer.status_code == 200:
                return
            await asyncio.sleep(0.1)


def _fold_and_project(dsn: str) -> None:
    asyncio.run(_folding(dsn))


async def _folding(dsn: str) -> None:
    """Worker and projector in one: fold a sample, append it, bring all views up; on and on."""
    pool = await open_pool(EventLogSettings(log_dsn=SecretStr(dsn)))
    await schema.apply(pool, Dialect.POSTGRES)
    log, rules = PostgresLog(pool), RulePack.default()
    followers = [
        Follower(
            log, pool, view=view, owner="bench",
            build=await first_build(pool, view, dialect=Dialect.POSTGRES),
        )
        for view in VIEWS.values()
    ]  # fmt: skip
    with open_recording(RECORDING) as recording:
        samples = [message for message in recording if isinstance(message, Sample)]
    states = {f"cluster-{n}": initial(f"cluster-{n}") for n in range(CLUSTERS)}
    head = await log.take_over(0, writer="bench", source="bench")
    for n in range(1_000_000):
        cluster, turn = f"cluster-{n % CLUSTERS}", n // CLUSTERS
        original = samples[turn % len(samples)]
        slot = samples[0].slot + turn * original.interval_s
        sample = original.model_copy(update={"cluster": cluster, "slot": slot})
        done = fold(states[cluster], sample, rules)
        states[cluster] = done.state
        head = await log.append(head, done.events, source_offset=n)
        ends = await ends_of(log)
        for follower in followers:
            await follower.catch_up(ends)
        if turn:  # the first slot of every cluster as fast as it goes
            await asyncio.sleep(1 / SAMPLES_PER_S)


def _serve(dsn: str, listener: socket.socket) -> None:
    asyncio.run(_serving(dsn, listener))


async def _serving(dsn: str, listener: socket.socket) -> None:
    """The API as `main.py` wires it, and the bare route beside it."""
    settings = ApiSettings(log_dsn=SecretStr(dsn))
    signs, registry = VitalSigns(limit_s=0.0), CollectorRegistry()
    async with wired(settings, registry=registry, signs=signs) as deps:
        app = build_app(deps, token=None)

        @app.get("/bare")
        async def bare() -> dict[str, str]:
            return {"status": "happy"}

        watching = asyncio.create_task(deps.watch.run())
        config = uvicorn.Config(app, lifespan="off", log_config=None, access_log=False)
        await uvicorn.Server(config).serve(sockets=[listener])
        watching.cancel()
