"""The Temporal server of the tests reads the dynamic config it is given and says what is wrong."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx
import pytest
from temporalio.client import Client, WorkflowExecutionStatus

from tests.infra.process import ServerFailed, http_status
from tests.infra.temporal import NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.infra.temporal import Temporal


def test_a_server_runs_on_a_good_file_without_a_warning(
    tmp_path: Path, temporal_on: Callable[[Path], Temporal]
) -> None:
    """A key the server knows changes what it does, and nothing above `info` is logged."""
    file = tmp_path / "dynamicconfig.yaml"
    file.write_text("limit.maxIDLength:\n  - value: 200\n")
    server = temporal_on(file)

    task_queues = f"{server.url}/api/v1/namespaces/{NAMESPACE}/task-queues"
    assert httpx.get(f"{task_queues}/{'q' * 200}").status_code == 200
    assert httpx.get(f"{task_queues}/{'q' * 201}").status_code == 400
    assert server.warnings() == []
    assert server.dynamic_config_warnings() == []


def test_a_server_stops_when_it_is_told_to(
    tmp_path: Path, temporal_on: Callable[[Path], Temporal]
) -> None:
    """`stop` is a clean shutdown: the services say that they stopped before the process ends."""
    file = tmp_path / "dynamicconfig.yaml"
    file.write_text("{}\n")
    server = temporal_on(file)
    assert server.running
    server.stop()
    assert not server.running
    said = {line["msg"] for line in server.log_lines()}
    assert {"frontend stopped", "history stopped", "matching stopped"} <= said


def test_a_server_warns_of_a_key_it_does_not_know(
    tmp_path: Path, temporal_on: Callable[[Path], Temporal]
) -> None:
    """A key nobody registered is one warning about the dynamic config, and the server runs."""
    file = tmp_path / "dynamicconfig.yaml"
    file.write_text("persistence.maxConns:\n  - value: 10\n")
    (warning,) = temporal_on(file).dynamic_config_warnings()
    assert "persistence.maxconns" in str(warning["error"]).lower()


def test_a_server_does_not_start_on_a_file_it_refuses(
    tmp_path: Path, temporal_on: Callable[[Path], Temporal]
) -> None:
    """One bare value where a list belongs ends the server, and the failure shows its words."""
    file = tmp_path / "dynamicconfig.yaml"
    file.write_text("frontend.rps: 100\n")
    with pytest.raises(ServerFailed, match="loading dynamic config failed: 1 errors"):
        temporal_on(file)


async def test_a_killed_server_keeps_its_workflows(kept_temporal: Temporal) -> None:
    """What was started before `kill -9` is there after the next start, under the same id."""
    client = await Client.connect(kept_temporal.address)
    started = await client.start_workflow("nobody", id="kept", task_queue="nobody")
    kept_temporal.kill()
    kept_temporal.start()
    told = await client.get_workflow_handle("kept").describe()
    assert (told.run_id, told.status) == (started.result_run_id, WorkflowExecutionStatus.RUNNING)
    metrics = f"http://{kept_temporal.metrics}/metrics"
    assert await asyncio.to_thread(http_status, metrics) == 200
