"""A stand-in for somebody else's HTTP backend: it answers what a test says, well or badly."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import orjson
from aiohttp import web


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it arrived; `fields` are those of the query string and of the form."""

    method: str
    path: str
    fields: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    url: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered. `hang` never answers, `break_off` closes the connection half-way, `endless`
    sends the body again and again; `after_s` is how long the answer takes."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    hang: bool = False
    break_off: bool = False
    endless: bool = False
    after_s: float = 0.0


def success(data: object) -> Reply:
    """A good answer of the query API."""
    return Reply(body=orjson.dumps({"status": "success", "data": data}))


def vector(*values: str, at: int = 0) -> Reply:
    """An instant vector with a series per value."""
    series = [
        {"metric": {} if i == 0 else {"n": str(i)}, "value": [at, value]}
        for i, value in enumerate(values)
    ]
    return success({"resultType": "vector", "result": series})


@dataclass(slots=True)
class StandIn:
    """The running server: its address, what it was asked so far, and how many at a time at most."""

    url: str
    asked: list[Asked]
    inside: int = 0
    most_inside: int = 0


@asynccontextmanager
async def standing_in(answer: Callable[[Asked], Reply]) -> AsyncGenerator[StandIn]:
    """Serve on a free port of 127.0.0.1 while the block runs."""
    server = StandIn("", [])
    ended = asyncio.Event()

    async def handle(request: web.Request) -> web.StreamResponse:
        body = await request.read()
        form = await request.post()
        asked = Asked(
            request.method,
            request.path,
            {**request.query, **{name: str(value) for name, value in form.items()}},
            dict(request.headers),
            body,
            str(request.url),
        )
        server.asked.append(asked)
        server.inside += 1
        server.most_inside = max(server.most_inside, server.inside)
        try:
            return await _send(request, answer(asked), ended)
        finally:
            server.inside -= 1

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    server.url = f"http://{host}:{port}"
    try:
        yield server
    finally:
        ended.set()
        await runner.cleanup()


async def _send(request: web.Request, reply: Reply, ended: asyncio.Event) -> web.StreamResponse:
    await asyncio.sleep(reply.after_s)
    if reply.hang:
        await ended.wait()
    if not (reply.break_off or reply.endless):
        return web.Response(status=reply.status, body=reply.body, headers=reply.headers)
    response = web.StreamResponse(status=reply.status, headers=reply.headers)
    await response.prepare(request)
    await response.write(reply.body)
    while reply.endless and not ended.is_set():
        await response.write(reply.body)
    if request.transport is not None:
        request.transport.abort()
    return response
