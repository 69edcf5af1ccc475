"""Error answers: always a problem, never a stack trace, never a 500 for what a caller wrote."""

from __future__ import annotations

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from copilot_api.app import described
from copilot_api.problems import KINDS, MEDIA_TYPE, problem_of
from copilot_core.errors import Conflict, Defect, Fenced, Rejected, Unavailable
from tests.unit.api.parts import Api, build

FIELDS = {"type", "title", "status", "detail", "instance", "todo", "findings"}


def assert_problem(answer: httpx.Response, status: int, code: str) -> dict[str, object]:
    """The answer is a complete problem of this kind; returns its body."""
    assert answer.headers["content-type"] == MEDIA_TYPE
    body = answer.json()
    assert set(body) == FIELDS
    assert (answer.status_code, body["status"]) == (status, status)
    assert body["type"] == f"/problems/{code}"
    assert body["title"]
    assert body["detail"]
    assert body["todo"]
    return body


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/", 404, "not_found"),
        ("GET", "/v1/clusters/", 404, "not_found"),
        ("GET", "/problems/none-such", 404, "not_found"),
        ("POST", "/v1/clusters", 405, "method_not_allowed"),
        ("DELETE", "/v1/clusters/prod/status", 405, "method_not_allowed"),
        ("GET", "/v1/clusters/PROD/status", 422, "invalid_parameter"),
        ("GET", "/v1/clusters/prod/status?at=yesterday", 422, "invalid_parameter"),
        ("GET", "/v1/clusters/prod/status?at=2090-01-01T00:00:00Z", 422, "invalid_parameter"),
        ("GET", "/v1/clusters/prod/timeline?limit=1001", 422, "limit_exceeded"),
        ("GET", "/v1/clusters/prod/timeline?limit=0", 422, "invalid_parameter"),
        ("GET", "/v1/clusters/prod/timeline?type=Nonsense", 422, "invalid_parameter"),
        ("GET", "/v1/clusters/prod/timeline?form=1767225600", 422, "invalid_parameter"),
        ("GET", "/v1/clusters/prod/services?at=1767225600", 422, "invalid_parameter"),
        ("GET", "/v1/timeline?from=1767225600&to=1780272000", 422, "limit_exceeded"),
        ("GET", "/v1/timeline?from=1780272000&to=1767225600", 422, "invalid_parameter"),
        ("GET", "/v1/clusters/prod/signals", 422, "invalid_parameter"),
        ("GET", "/v1/clusters/prod/signals?" + "signal=x&" * 21, 422, "limit_exceeded"),
        ("GET", "/v1/events", 422, "invalid_parameter"),
        ("GET", "/v1/events?shard=0&stream=health/prod", 422, "invalid_parameter"),
        ("GET", "/v1/events?shard=99999999999999999999", 422, "invalid_parameter"),
        ("GET", "/v1/events?stream=nonsense/prod", 422, "invalid_parameter"),
        ("GET", "/v1/events?shard=0&limit=1001", 422, "limit_exceeded"),
        ("GET", "/v1/events?shard=0&cursor=nonsense", 400, "bad_cursor"),
        ("GET", "/v1/stream?after=nonsense", 400, "bad_cursor"),
        ("GET", "/v1/stream?type=Nonsense", 422, "invalid_parameter"),
        ("GET", "/v1/clusters/prod/stream", 404, "unknown_cluster"),
        ("GET", "/v1/clusters", 503, "store_unavailable"),
        ("GET", "/v1/clusters/prod/status", 503, "store_unavailable"),
        ("GET", "/v1/clusters/prod/incidents", 503, "store_unavailable"),
    ],
)  # fmt: skip
async def test_every_error_is_a_problem(
    client: httpx.AsyncClient, method: str, path: str, status: int, code: str
) -> None:
    """Each way to be refused has its own kind, whose page exists and says the same."""
    body = assert_problem(await client.request(method, path), status, code)
    kind = (await client.get(str(body["type"]))).json()
    assert (kind["code"], kind["status"], kind["title"]) == (code, status, body["title"])


async def test_a_refused_limit_is_named(client: httpx.AsyncClient) -> None:
    """Who asks for too much is told how much there is to have."""
    for path, limit in (
        ("/v1/events?shard=0&limit=5000", "1000"),
        ("/v1/clusters/prod/signals?signal=x&limit=10001", "10000"),
        ("/v1/timeline?from=2020-01-01T00:00:00Z", "92 days"),
    ):
        assert limit in (await client.get(path)).json()["detail"]


async def test_the_methods_allowed_are_named(client: httpx.AsyncClient) -> None:
    """405 says in its Allow header what would have been allowed (RFC 9110)."""
    assert "GET" in (await client.post("/v1/clusters")).headers["allow"]


async def test_trouble_that_passes_says_when_to_come_back(client: httpx.AsyncClient) -> None:
    """503 carries Retry-After, and no problem may be kept by a cache."""
    answer = await client.get("/v1/clusters/prod/services")
    assert int(answer.headers["retry-after"]) > 0
    assert answer.headers["cache-control"] == "no-store"


async def test_a_bug_is_answered_counted_and_not_explained_to_strangers() -> None:
    """An exception nobody foresaw gives a problem without our insides, and a counter moves."""
    api = await build()

    async def broken() -> None:
        raise ZeroDivisionError("secret inside")

    api.app.add_api_route("/broken", broken)
    async with api.client() as client:
        answer = await client.get("/broken")
        assert_problem(answer, 500, "defect")
        assert "secret inside" not in answer.text
        metrics = (await client.get("/metrics")).text
    assert 'copilot_api_defects_total{route="/broken"} 1.0' in metrics


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Rejected("x"), "rejected"), (Rejected("x", code="bad_cursor"), "bad_cursor"),
        (Rejected("x", code="from_the_future"), "rejected"),
        (Rejected("x", code="unknown_version"), "newer_log"), (Conflict("x"), "conflict"),
        (Fenced("x"), "conflict"), (Unavailable("x"), "store_unavailable"),
        (Defect("x"), "defect"), (KeyError("x"), "defect"),
    ],
)  # fmt: skip
def test_every_error_of_ours_has_a_kind(error: Exception, code: str) -> None:
    """The four errors of the project, and every other, are told as a kind of the table."""
    found = problem_of(error, instance="/")
    assert found.type == f"/problems/{code}"
    assert found.status == KINDS[code].status


def _parameters(app: FastAPI) -> list[tuple[str, list[str]]]:
    """Every path that answers at once, and the names of its query parameters."""
    paths = app.openapi()["paths"]
    return [
        (path, [p["name"] for p in told["get"].get("parameters", []) if p["in"] == "query"])
        for path, told in paths.items()
        if not path.endswith("/stream")
    ]


PATHS = _parameters(described())
ODD = (
    st.text(max_size=40)
    | st.integers().map(str)
    | st.floats().map(str)
    | st.sampled_from(
        ["", "\x00", "%00", "null", "[]", "-1", "1e999", "2" * 400, "'; --", "\ud800"]
    )
)


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, list[tuple[str, bytes]]]:
    """Some path with odd text in its places, and odd text for some of its parameters."""
    path, names = draw(st.sampled_from(PATHS))
    for place in ("{cluster}", "{began}", "{code}"):
        if place in path:
            text = draw(ODD).encode("utf-8", "surrogatepass")
            path = path.replace(place, "".join(f"%{byte:02X}" for byte in text) or "x")
    chosen = draw(st.lists(st.sampled_from([*names, "unheard_of"]), max_size=4))
    return path, [(name, draw(ODD).encode("utf-8", "surrogatepass")) for name in chosen]


@given(request=requests())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_input_of_a_caller_is_a_bug_of_ours(
    api: Api, request: tuple[str, list[tuple[str, bytes]]]
) -> None:
    """Whatever text is in paths and parameters, the answer is no 500, and errors are problems."""
    path, parameters = request
    query = "&".join(f"{n}={''.join(f'%{b:02X}' for b in v)}" for n, v in parameters)
    async with api.client() as client:
        answer = await client.get(f"{path}?{query}")
    assert answer.status_code != 500
    if answer.status_code >= 400 and path not in ("/readyz", "/healthz"):
        assert answer.headers["content-type"] == MEDIA_TYPE
