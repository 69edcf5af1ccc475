"""The API process: how it starts, refuses to start, and stops."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager

import httpx
import pytest

from tests.integration.projections.line import Line, postgres_line

TOKEN = "correct-horse-battery-staple"


@pytest.fixture
async def line(pg_dsn: str) -> AsyncGenerator[Line]:
    """A database with the log's tables, and nothing in them."""
    async with postgres_line(pg_dsn) as line:
        yield line


@contextmanager
def process(dsn: str, **settings: str) -> Generator[subprocess.Popen[str]]:
    """`copilot_api.main` with this environment and no other of ours; killed at the latest here."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("COPILOT_")}
    env |= {"COPILOT_LOG_DSN": dsn, "COPILOT_API_PORT": "0", **settings}
    command = [sys.executable, "-m", "copilot_api.main"]
    with subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True) as running:
        end = threading.Timer(60, running.kill)
        end.start()
        try:
            yield running
        finally:
            end.cancel()
            running.kill()


def _listening(running: subprocess.Popen[str]) -> tuple[str, list[str]]:
    """The address that the process says it listens on, and the lines until then."""
    assert running.stderr is not None
    lines = []
    for text in running.stderr:
        lines.append(text)
        told = json.loads(text)
        if told["event"] == "listening":
            return f"http://127.0.0.1:{told['port']}", lines
    raise AssertionError(f"it ended: {lines}")


def test_it_serves_and_stops_cleanly_with_a_stream_open(line: Line, pg_dsn: str) -> None:
    """It says where it listens, asks for the token, and on SIGTERM ends with 0 although a client
    follows an event stream; the token is in none of its lines."""
    with process(pg_dsn, COPILOT_API_TOKEN=TOKEN, COPILOT_LOG_LEVEL="debug") as running:
        url, lines = _listening(running)
        with httpx.Client(base_url=url, timeout=30) as client:
            assert client.get("/healthz").status_code == 200
            assert client.get("/v1/events?shard=0").status_code == 401
            client.headers["Authorization"] = f"Bearer {TOKEN}"
            assert client.get("/v1/events?shard=0").json() == []
            with client.stream("GET", "/v1/stream") as following:
                arriving = following.iter_lines()
                opening = next(arriving)
                running.send_signal(signal.SIGTERM)
                rest = list(arriving)
        code = running.wait(30)
        assert running.stderr is not None
        lines += running.stderr.readlines()
    assert (opening[:3], code) == ("id:", 0)
    assert all(text.startswith((":", "retry:")) for text in rest if text)
    assert not [text for text in lines if TOKEN in text]
    assert json.loads(lines[-1])["event"] == "stopped"


def test_it_refuses_to_be_open_to_others(pg_dsn: str) -> None:
    """Beyond loopback without a token: exit 2 at once, and one line that names the variable."""
    with process(pg_dsn, COPILOT_API_HOST="0.0.0.0") as running:
        _, err = running.communicate()
    assert running.returncode == 2
    told = json.loads(err.splitlines()[-1])
    assert "COPILOT_API_TOKEN" in told["findings"][0]


def test_a_taken_port_is_named(line: Line, pg_dsn: str) -> None:
    """A port that somebody else has ends the process with 75 and the setting's name."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with process(pg_dsn, COPILOT_API_PORT=port) as running:
            _, err = running.communicate()
    assert running.returncode == 75
    assert "COPILOT_API_PORT" in json.loads(err.splitlines()[-1])["where"]


def test_a_database_without_tables_is_told_apart_from_none(pg_dsn: str) -> None:
    """Nobody applied the schema: the process ends and says which command does."""
    with process(pg_dsn) as running:
        _, err = running.communicate()
    assert running.returncode == 70
    assert "copilot db apply" in json.loads(err.splitlines()[-1])["todo"]


def test_a_database_that_is_away_does_not_keep_it_from_starting() -> None:
    """The process that tells people that the database is away has to live without it."""
    with process("postgresql://postgres@127.0.0.1:1/nothing") as running:
        url, _ = _listening(running)
        with httpx.Client(base_url=url, timeout=30) as client:
            answer = client.get("/v1/clusters")
            assert (answer.status_code, client.get("/healthz").status_code) == (503, 200)
            assert client.get("/readyz").status_code == 503
        running.send_signal(signal.SIGTERM)
        running.wait(30)
    assert running.returncode == 0
