"""The token: who gets in, and what those who do not get to know."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import structlog

from copilot_service import LogFormat, LogLevel, configure_logs
from tests.unit.api.parts import build

TOKEN = "correct-horse-battery-staple"


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.mark.parametrize(
    "header",
    [
        None, "", "Bearer", "Bearer ", f"Basic {TOKEN}", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}",
        f"Bearer {TOKEN.upper()}", TOKEN, f"Bearer x {TOKEN}",
    ],
)  # fmt: skip
async def test_nothing_but_the_token_opens(header: str | None) -> None:
    """A missing, mangled or other token gets 401 with a challenge, on every path but the checks."""
    async with (await build(token=TOKEN)).client() as client:
        headers = {} if header is None else {"Authorization": header}
        for path in ("/v1/signals", "/openapi.json", "/metrics", "/problems", "/no/such/path"):
            answer = await client.get(path, headers=headers)
            assert (answer.status_code, answer.json()["type"]) == (401, "/problems/unauthenticated")
            assert answer.headers["www-authenticate"].startswith("Bearer")
        assert (await client.get("/healthz", headers=headers)).status_code == 200
        assert (await client.get("/readyz", headers=headers)).status_code == 503


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_the_token_opens(scheme: str) -> None:
    """The token opens every path; the scheme's name is not case-sensitive (RFC 9110)."""
    async with (await build(token=TOKEN)).client() as client:
        answer = await client.get("/v1/signals", headers={"Authorization": f"{scheme} {TOKEN}"})
        assert answer.status_code == 200


async def test_without_a_token_the_api_is_open() -> None:
    """Where no token is set, none is asked for."""
    async with (await build()).client() as client:
        assert (await client.get("/v1/signals")).status_code == 200


async def test_bytes_beyond_ascii_are_refused_not_stumbled_over() -> None:
    """A header with any bytes at all is a wrong token, not an error of ours."""
    async with (await build(token=TOKEN)).client() as client:
        answer = await client.get(
            "/v1/signals", headers=[(b"Authorization", b"Bearer \xff\xfe\x80")]
        )
        assert answer.status_code == 401


@pytest.mark.parametrize("format_", LogFormat)
async def test_the_token_is_in_no_log_line(
    format_: LogFormat, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither the token nor a wrong one that was sent appears in a log line, in either format, not
    even when the request ends in a bug and its traceback is written."""

    async def broken() -> None:
        raise ZeroDivisionError

    api = await build(token=TOKEN)
    api.app.add_api_route("/broken", broken)
    configure_logs("api", level=LogLevel.DEBUG, format_=format_)
    async with api.client() as client:
        for token in (TOKEN, "something-else-entirely"):
            for path in ("/v1/signals", "/v1/clusters", "/broken"):
                await client.get(path, headers={"Authorization": f"Bearer {token}"})
    written = capsys.readouterr().err
    assert "ZeroDivisionError" in written
    assert TOKEN not in written
    assert "something-else-entirely" not in written
