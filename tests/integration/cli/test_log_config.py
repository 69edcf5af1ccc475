"""`copilot log` over a log that holds changes of configuration beside an incident."""

from __future__ import annotations

import asyncio

import orjson
import pytest

from copilot_core.events import NewEvent, cluster_of, encode
from copilot_eventlog import config_log
from copilot_eventlog.postgres import open_log
from tests.integration.cli.conftest import settings_of
from tests.integration.eventlog.config_contract import changed
from tests.unit.cli.conftest import Copilot


@pytest.fixture
def cluster(filled_log: list[NewEvent], empty_log: str) -> str:
    """The incident's cluster; two changes were emitted, in the middle of it and after its end."""
    name = cluster_of(filled_log[0].stream)
    middle = filled_log[len(filled_log) // 2].occurred_at.timestamp() + 1
    end = filled_log[-1].occurred_at.timestamp() + 1

    async def emit() -> None:
        log = await open_log(settings_of(empty_log))
        try:
            for version, at in ((1, middle), (2, end)):
                event = changed(version, at=at)
                await config_log.append(log, name, event, version=version, writer="test")
        finally:
            await log.close()

    asyncio.run(emit())
    return name


def test_show_tells_changes_where_they_happened(cluster: str, copilot: Copilot) -> None:
    """Configuration stands among the decisions in event time, with its reasons for people."""
    shown = copilot("log", "show", "--cluster", cluster, "--json").records
    assert [r["at"] for r in shown] == sorted(r["at"] for r in shown)
    assert [r["type"] for r in shown].count("ConfigChanged") == 2
    assert shown[-1]["type"] == "ConfigChanged"
    assert shown[0]["type"] != "ConfigChanged"
    words = copilot("log", "show", "--cluster", cluster).out
    assert "first configuration starter, by kim: a test" in words
    assert "values set: 1; what was there before is not known" in words
    assert "config starter, by kim: a test" in words
    assert "history.qps: 1 → 2 1/s (live): more" in words


def test_tail_verify_and_refold_cope(
    cluster: str, filled_log: list[NewEvent], copilot: Copilot
) -> None:
    """The newest event is shown; the log is sound; the fold's part agrees."""
    (last,) = copilot("log", "tail", "-n", "1", "--json").records
    assert last["data"] == orjson.loads(encode(changed(2, at=last["data"]["at"])))
    (audit,) = copilot("log", "verify", "--json").records
    assert (audit["findings"], audit["events"]) == ([], len(filled_log) + 2)
    (refold,) = copilot("log", "refold", "--json").records
    assert refold["events"] == len(filled_log)
    assert refold["digest"] == refold["refold_digest"]
