"""A recording put into Prometheus answers like the server that was recorded."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.infra.prometheus import Prometheus

# Eight scrapes, ten seconds apart, ending at second 70.
_BEGIN_S = 1_767_225_600
_TEXT = (
    "".join(f'orders_total{{shop="a"}} {10 * n} {_BEGIN_S + 10 * n}\n' for n in range(8))
    + "# EOF\n"
)


def _ask(server: Prometheus, query: str, at_s: int) -> list[dict[str, object]]:
    answer = httpx.get(f"{server.url}/api/v1/query", params={"query": query, "time": at_s})
    return answer.raise_for_status().json()["data"]["result"]


def test_history_is_answered_at_its_own_time(
    tmp_path: Path, prometheus_of: Callable[[Path], Prometheus]
) -> None:
    """Values and rates come back for the recorded times; 30 s after the end there is nothing."""
    recording = tmp_path / "metrics.om.gz"
    recording.write_bytes(gzip.compress(_TEXT.encode()))
    server = prometheus_of(recording)

    (last,) = _ask(server, "orders_total", _BEGIN_S + 70)
    assert last["metric"] == {"__name__": "orders_total", "shop": "a"}
    assert last["value"] == [_BEGIN_S + 70, "70"]
    (rate,) = _ask(server, "rate(orders_total[1m])", _BEGIN_S + 70)
    assert rate["value"] == [_BEGIN_S + 70, "1"]
    assert _ask(server, "orders_total", _BEGIN_S + 100) == []
    assert prometheus_of(recording) is server
