"""Whatever a backend does, a question ends in its data or in a failure that says why."""

from __future__ import annotations

import gzip

import pytest

from copilot_core.readings import Missing
from copilot_streams.scrapers.backend import Backend, Failure, client_for, failed
from tests.unit.streams.stand_in import Reply, standing_in, success

MAX_BYTES = 10_000

BAD = {
    "http_503": Reply(503, b"overloaded"),
    "http_422": Reply(
        422, b'{"status":"error","errorType":"execution","error":"too many samples"}'
    ),
    "http_302": Reply(302, b"", {"Location": "http://127.0.0.1:9/elsewhere"}),
    "not_json": Reply(200, b"<html>It works!</html>"),
    "not_json-error": Reply(200, b'{"status":"error","error":"no"}'),
    "not_json-list": Reply(200, b"[]"),
    "not_json-binary": Reply(200, b"\xff\xfe\x00"),
    "not_json-empty": Reply(200, b""),
    "wrong_shape": Reply(200, b'{"status":"success","data":[1]}'),
    "too_large": Reply(200, b"x" * (MAX_BYTES + 1)),
    "too_large-endless": Reply(200, b"[" * 4096, endless=True),
    "too_large-gzip": Reply(
        200, gzip.compress(b'{"status":"success","data":{}}'), {"Content-Encoding": "gzip"}
    ),
    "connect": Reply(200, b'{"status":"succ', break_off=True),
}


@pytest.mark.parametrize("case", BAD)
async def test_a_bad_answer_is_a_named_failure(case: str) -> None:
    """Every bad answer is SCRAPE_FAILED, with the cause that the table of the module names."""
    async with standing_in(lambda _: BAD[case]) as server, client_for(server.url) as client:
        answer = await Backend(client, timeout_s=10.0, max_bytes=MAX_BYTES).ask("q", {"query": "x"})
    assert isinstance(answer, Failure)
    assert answer.reason is Missing.SCRAPE_FAILED
    assert answer.cause == case.partition("-")[0]


async def test_no_answer_in_time_is_timed_out() -> None:
    """A backend that accepts and stays silent costs the timeout and no more."""
    async with standing_in(lambda _: Reply(hang=True)) as server, client_for(server.url) as client:
        answer = await Backend(client, timeout_s=0.2, max_bytes=MAX_BYTES).ask("q", {})
    assert isinstance(answer, Failure)
    assert (answer.reason, answer.cause) == (Missing.TIMED_OUT, "timeout")


async def test_nobody_listening_is_a_failure() -> None:
    """A closed port is SCRAPE_FAILED with cause connect."""
    async with standing_in(lambda _: success({})) as server:
        url = server.url
    async with client_for(url) as client:
        answer = await Backend(client, timeout_s=5.0, max_bytes=MAX_BYTES).ask("q", {})
    assert isinstance(answer, Failure)
    assert (answer.reason, answer.cause) == (Missing.SCRAPE_FAILED, "connect")


async def test_the_backends_own_words_reach_the_log_line_tamed() -> None:
    """The error text of an answer is kept, on one line and without control characters."""
    body = b'{"status":"error","error":"bad\\n\\u001b[31mthing\\u0000"}'
    async with standing_in(lambda _: Reply(400, body)) as server, client_for(server.url) as client:
        answer = await Backend(client, timeout_s=5.0, max_bytes=MAX_BYTES).ask("q", {})
    assert isinstance(answer, Failure)
    assert answer.detail == "bad thing"
    assert answer.status == 400


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_query_arrives_under_the_configured_path(method: str) -> None:
    """Paths are appended to the address that the clusters file names, headers are sent along."""
    async with (
        standing_in(lambda _: success({"n": 1})) as server,
        client_for(f"{server.url}/workspaces/ws-1/", headers={"X-Scope-OrgID": "7"}) as client,
    ):
        backend = Backend(client, timeout_s=5.0, max_bytes=MAX_BYTES)
        answer = await backend.ask(
            "api/v1/query",
            {"query": "a + b", "time": "30"},
            method="GET" if method == "GET" else "POST",
        )
    assert answer == {"n": 1}
    (asked,) = server.asked
    assert (asked.method, asked.path) == (method, "/workspaces/ws-1/api/v1/query")
    assert asked.fields == {"query": "a + b", "time": "30"}
    assert asked.headers["X-Scope-OrgID"] == "7"
    assert asked.headers["Accept-Encoding"] == "identity"


def test_text_for_people_is_one_printable_line() -> None:
    """Control characters, line feeds and runs of spaces go, secrets too, and the text is cut."""
    said = failed("http_500", "a\tb\r\n\x1b[0m  c\u2028d password=hunter2")
    assert said.detail == "a b c d password=[password]"
    assert len(failed("http_500", "too long " * 1000).detail) == 200
