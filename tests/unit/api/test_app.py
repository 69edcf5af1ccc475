"""The app as a whole: health, metrics, and the OpenAPI document."""

from __future__ import annotations

import json
from difflib import unified_diff
from itertools import islice
from pathlib import Path

import httpx

from copilot_api.app import described
from copilot_api.problems import MEDIA_TYPE
from copilot_api.reference import markdown, openapi_text
from tests.unit.api.parts import Api, build

GOLDEN = Path(__file__).parents[2] / "golden" / "openapi.json"
REGENERATE = (
    "./dev run python -c 'from copilot_api.reference import openapi_text; "
    'print(openapi_text(), end="")\' > tests/golden/openapi.json'
)


def test_the_openapi_document_is_the_one_that_was_agreed() -> None:
    """The document equals the golden file: whoever changes the API sees it and says so."""
    agreed, found = GOLDEN.read_text("utf-8").splitlines(), openapi_text().splitlines()
    changes = list(islice(unified_diff(agreed, found, "agreed", "found", n=2, lineterm=""), 40))
    assert not changes, "\n".join((*changes, f"if that is what you mean: {REGENERATE}"))


def test_every_operation_documents_its_limits_and_errors() -> None:
    """Every list parameter and number has bounds, every error is a problem, every path is told."""
    document = described().openapi()
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert operation["description"], path
            for parameter in operation.get("parameters", ()):
                schema = parameter["schema"]
                whole = json.dumps(schema)
                assert parameter.get("description") or path.startswith("/problems"), (path, whole)
                if '"integer"' in whole or '"array"' in whole:
                    assert "aximum" in whole or "maxItems" in whole, (path, parameter["name"])
                if '"string"' in whole and "enum" not in whole:
                    assert any(k in whole for k in ("maxLength", "pattern", "items")), (path, whole)
            for status, response in operation["responses"].items():
                if path.startswith("/v1") and int(status) >= 400:
                    assert list(response["content"]) == [MEDIA_TYPE]


def test_the_reference_names_every_path() -> None:
    """The written reference has a section for each path and each kind of problem."""
    page = markdown()
    for path in described().openapi()["paths"]:
        assert f"GET {path}\n" in page
    assert "too_many_streams" in page


async def test_ready_means_the_store_was_reached_once(client: httpx.AsyncClient, api: Api) -> None:
    """Not ready before the first answered read; afterwards ready, also while the store is away."""
    assert (await client.get("/readyz")).status_code == 503
    await client.get("/v1/events?shard=0")
    assert (await client.get("/readyz")).json() == {
        "service": "api", "ready": True, "store": "answers", "waiting_for": {},
    }  # fmt: skip
    await client.get("/v1/clusters")  # this API's views are out of reach
    away = await client.get("/readyz")
    assert away.status_code == 200
    assert away.json()["store"] not in ("answers", "")
    api.deps.watch.close()
    assert (await client.get("/readyz")).status_code == 503


async def test_a_process_that_stands_still_is_not_alive() -> None:
    """/healthz is 503 once nothing has moved for the limit that was set."""
    api = await build(live_for_s=1e-9)
    async with api.client() as client:
        answer = await client.get("/healthz")
    assert (answer.status_code, answer.json()["live"]) == (503, False)


async def test_metrics_count_by_route_not_by_path(client: httpx.AsyncClient) -> None:
    """Paths that callers make up do not become labels."""
    await client.get("/v1/events?shard=0")
    await client.get("/v1/clusters/some-cluster/services")
    await client.get("/made/up")
    metrics = (await client.get("/metrics")).text
    assert 'route="/v1/clusters/{cluster}/services",status="503"' in metrics
    assert 'copilot_api_requests_total{route="none",status="404"} 1.0' in metrics
    assert "some-cluster" not in metrics
    assert "made/up" not in metrics
