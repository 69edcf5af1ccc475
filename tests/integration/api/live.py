"""A running API over a real database, a line that is folding into it, and callers of both."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterable
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import orjson
import uvicorn
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from whenever import Instant

from copilot_api.app import build_app
from copilot_api.deps import Deps
from copilot_api.main import wired
from copilot_api.settings import ApiSettings
from copilot_core.events import NewEvent, SampleRecorded
from copilot_core.fold import fold, initial
from copilot_core.rules import RulePack
from copilot_core.samples import Sample
from copilot_service.vital_signs import VitalSigns
from copilot_streams.recording import open_recording
from tests.integration.projections.line import Line

INCIDENT: Final = Path(__file__).parents[2] / "data" / "recordings" / "o1-workers-stopped.jsonl.gz"


@dataclass(frozen=True, slots=True)
class FoldedSlot:
    """One message of a recording and the events that the fold decided from it."""

    slot: int
    events: tuple[NewEvent, ...]

    @property
    def sample(self) -> SampleRecorded:
        """The slot's recorded sample."""
        return next(e for event in self.events if isinstance(e := event.decoded(), SampleRecorded))


def folded(recording: Path = INCIDENT) -> tuple[str, list[FoldedSlot]]:
    """The cluster of a recording, and its samples folded in process."""
    with open_recording(recording) as opened:
        cluster, messages = opened.header.cluster, list(opened)
    state, slots, rules = initial(cluster), [], RulePack.default()
    for message in messages:
        if isinstance(message, Sample):
            done = fold(state, message, rules)
            state = done.state
            slots.append(FoldedSlot(message.slot, done.events))
    return cluster, slots


async def fold_on(line: Line, slots: Iterable[FoldedSlot]) -> None:
    """Append slot by slot and bring the views up after each, as worker and projector do."""
    head = await line.log.take_over(0, writer="worker", source="test")
    for offset, slot in enumerate(slots):
        head = await line.log.append(head, slot.events, source_offset=offset)
        await line.project()


class Clock:
    """What the API takes for now; set by the test."""

    def __init__(self, at: Instant) -> None:
        self.at = at

    def __call__(self) -> Instant:
        return self.at


@dataclass(frozen=True, slots=True)
class Live:
    """A running API: where it listens, its parts, and a caller."""

    url: str
    deps: Deps
    client: httpx.AsyncClient

    async def get(self, path: str, **parameters: Any) -> Any:
        """The JSON body of an answer that has to be 200."""
        answer = await self.client.get(path, params=parameters or None)
        assert answer.status_code == 200, answer.text
        return answer.json()


@asynccontextmanager
async def live(
    dsn: str, *, now: Clock | None = None, token: str | None = None, **settings: Any
) -> AsyncGenerator[Live]:
    """The API as `main.py` wires it, on a free port, with its watch running.

    Its patience with the database is long unless a test says otherwise: a busy machine is not a
    database that is away.
    """
    given: dict[str, Any] = {
        "api_watch_s": 0.02,
        "api_heartbeat_s": 0.2,
        "api_store_timeout_s": 1.0,
        **settings,
    }
    read = ApiSettings(log_dsn=SecretStr(dsn), api_port=0, **given)
    signs, registry = VitalSigns(limit_s=60.0), CollectorRegistry()
    async with wired(read, registry=registry, signs=signs, now=now or Instant.now) as deps:
        app = build_app(deps, token=SecretStr(token) if token else None)
        with _server(app) as (server, listener):
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            watching = asyncio.create_task(deps.watch.run())
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            try:
                async with httpx.AsyncClient(base_url=url, timeout=30) as client:
                    yield Live(url, deps, client)
            finally:
                deps.watch.close()
                server.should_exit = True
                await serving
                watching.cancel()


@contextmanager
def _server(app: FastAPI) -> Generator[tuple[uvicorn.Server, socket.socket]]:
    class Server(uvicorn.Server):
        @contextmanager
        def capture_signals(self) -> Generator[None]:
            yield

    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(
            app, lifespan="off", log_config=None, access_log=False, timeout_graceful_shutdown=2
        )
        yield Server(config), listener


@dataclass(frozen=True, slots=True)
class Message:
    """One server-sent message; `data` is what its JSON says, None where it had none."""

    event: str
    id: str | None
    data: Any


async def messages(answer: httpx.Response) -> AsyncIterator[Message]:
    """The messages of an event stream, heartbeats left out (they are comments)."""
    fields: dict[str, str] = {}
    async for line in answer.aiter_lines():
        if line.startswith(":"):
            continue
        if line:
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
        elif fields:
            data = fields.get("data")
            parsed = orjson.loads(data) if data else None
            yield Message(fields.get("event", "message"), fields.get("id"), parsed)
            fields = {}


@asynccontextmanager
async def stream(
    api: Live, path: str, *, last_event_id: str | None = None, **parameters: Any
) -> AsyncGenerator[AsyncIterator[Message]]:
    """Follow an event stream; the first message (its beginning) included."""
    headers = {} if last_event_id is None else {"Last-Event-ID": last_event_id}
    async with api.client.stream("GET", path, headers=headers, params=parameters) as answer:
        assert answer.status_code == 200, await answer.aread()
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield messages(answer)
