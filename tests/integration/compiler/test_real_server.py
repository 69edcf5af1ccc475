"""What the compiler writes, in the hands of what it is written for: a server and a worker.

A server without any warning is only looked for from when it can be used to when it is told to stop:
see `tests/infra/temporal.py` for what it logs before and after, whatever its dynamic config.
"""

from __future__ import annotations

import asyncio
import importlib.util
import math
import re
import subprocess
from datetime import timedelta  # the SDK's own type for time spans
from typing import TYPE_CHECKING

import httpx
import pytest
import yaml
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import Worker

from copilot.embedded.child import free_port
from dsql_config.cli.main import main
from dsql_config.modifiers import MODIFIERS
from dsql_config.presets import PRESETS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType

    from tests.infra.temporal import Temporal

_WITHIN = timedelta(seconds=30)
_ORDERS = 20
_LINES_AN_ORDER = 5
_WAIT_BUCKET = r'temporal_workflow_task_schedule_to_start_latency_seconds_bucket\{.*le="(.+)"\}'


@activity.defn
async def price_of(line: int) -> int:
    """The price of one line of an order."""
    return 10 * line


@workflow.defn(sandboxed=False)  # a test's module cannot be imported a second time, in a sandbox
class Order:
    """Prices every line of an order at once."""

    @workflow.run
    async def run(self, lines: int) -> int:
        """The order's price."""
        prices = (
            workflow.execute_activity(price_of, line, start_to_close_timeout=_WITHIN)
            for line in range(lines)
        )
        return sum(await asyncio.gather(*prices))


def _compiled(preset: str, modifier: str | None, out: Path) -> Path:
    """Run `temporal-dsql-config compile`; the folder that it wrote."""
    shaped = ("--modifier", modifier) if modifier else ()
    with pytest.raises(SystemExit) as ended:
        main(["compile", preset, *shaped, "--out", str(out)])
    assert ended.value.code == 0
    return out


def _imported(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("worker_options", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_server_finds_nothing_in_any_dynamic_config(
    tmp_path: Path, temporal_server_binary: Path
) -> None:
    """`validate-dynamic-config` names the file of every preset and modifier, and nothing else."""
    files = [
        str(_compiled(preset, modifier, tmp_path / f"{preset}+{modifier}") / "dynamicconfig.yaml")
        for preset in PRESETS
        for modifier in (None, *MODIFIERS)
    ]
    said = subprocess.run(
        [temporal_server_binary, "validate-dynamic-config", *files],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    assert said.splitlines() == files


@pytest.mark.parametrize(
    ("preset", "modifier"),
    [("starter", None), ("mid-scale", "long-running"), ("high-throughput", "orchestrator")],
)
async def test_a_worker_with_the_options_runs_workflows_on_a_server_with_the_file(
    preset: str, modifier: str | None, tmp_path: Path, temporal_on: Callable[[Path], Temporal]
) -> None:
    """The server takes over every key of the file, workflows finish, and nobody warns of anything.

    The worker's metrics have the names and the buckets that the options promise.
    """
    out = _compiled(preset, modifier, tmp_path / "out")
    file = out / "dynamicconfig.yaml"
    server = await asyncio.to_thread(temporal_on, file)
    options = _imported(out / "worker_options.py")
    metrics = f"127.0.0.1:{free_port()}"

    client = await Client.connect(server.address, runtime=options.runtime(metrics))
    async with (
        asyncio.timeout(60),
        Worker(
            client,
            task_queue="orders",
            workflows=[Order],
            activities=[price_of],
            **options.worker_options(),
        ),
    ):
        prices = await asyncio.gather(
            *(
                client.execute_workflow(
                    Order.run, _LINES_AN_ORDER, id=f"order-{n}", task_queue="orders"
                )
                for n in range(_ORDERS)
            )
        )
        async with httpx.AsyncClient() as http:
            exported = (await http.get(f"http://{metrics}/metrics")).text

    assert prices == [sum(10 * line for line in range(_LINES_AN_ORDER))] * _ORDERS
    assert server.warnings() == []
    assert server.dynamic_config_warnings() == []
    changed = {str(line["msg"]) for line in server.log_lines()}
    for key in yaml.safe_load(file.read_text()):
        said = f"dynamic config changed for the key: {key.lower()} oldValue: nil"
        assert any(message.startswith(said) for message in changed)
    waits = re.findall(_WAIT_BUCKET, exported)
    assert {float(end_s) for end_s in waits} == {*options.WAIT_BUCKETS_S, math.inf}
