"""The copilot watches the Temporal server that it works on itself: it is a Temporal cluster, too.

A real Prometheus scrapes the server and the worker, which is `copilot run agents` with the metrics
of Temporal's SDK. Workflows of ours are the load: each asks for words about an event that is not
there, and ends. Then the worker is stopped and started again, and the copilot says so.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

import pytest
from temporalio.client import Client, WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter

from copilot.embedded.child import free_port
from copilot_core.events import (
    CausesRanked,
    Event,
    HealthTransitioned,
    SampleRecorded,
    TransitionExplained,
)
from copilot_core.health import rank
from copilot_core.values import Status
from copilot_workflows.agents.requests import TextKind
from copilot_workflows.names import EXPLAIN_TRANSITION
from copilot_workflows.subjects import Subject
from tests.e2e.line import Line, eventually
from tests.infra.prometheus import SCRAPE_INTERVAL_S
from tests.infra.temporal import NAMESPACE

if TYPE_CHECKING:
    from tests.infra.prometheus import ScrapingPrometheus
    from tests.infra.temporal import Temporal

pytestmark = pytest.mark.slow

CLUSTER = "ourselves"
QUEUE = "copilot"
INTERVAL_S = 10
"""A third of the usual: short enough to wait for, long enough for a busy machine to answer."""
STARTS_PER_S = 4


@contextlib.asynccontextmanager
async def load(address: str) -> AsyncGenerator[None]:
    """Workflow starts at a steady pace, from the first one that has ended until the block ends."""
    client = await Client.connect(
        address, namespace=NAMESPACE, data_converter=pydantic_data_converter
    )

    async def start() -> WorkflowHandle:
        id_ = uuid.uuid4()
        subject = Subject(
            cluster="nobody", explains=id_, at=1_795_000_000, kind=TextKind.TRANSITION
        )
        return await client.start_workflow(
            EXPLAIN_TRANSITION, subject, id=str(id_), task_queue=QUEUE
        )

    async def start_for_ever() -> None:
        while True:
            await start()
            await asyncio.sleep(1 / STARTS_PER_S)

    await (await start()).result()  # no demand before there is a worker
    task = asyncio.create_task(start_for_ever())
    try:
        yield
        assert not task.done(), task.result()
    finally:
        task.cancel()


async def health(line: Line) -> list[Event]:
    """Everything that was decided of the cluster so far."""
    recorded = await line.log.read_stream(f"health/{CLUSTER}", limit=10_000)
    return [event.decoded() for event in recorded]


async def until(line: Line, holds: Callable[[], Awaitable[bool]], *, within_s: float) -> None:
    """Wait until something holds; where it does not, show what was decided last."""
    try:
        await eventually(holds, within_s=within_s)
    except TimeoutError:
        verdicts = [e.verdict for e in await health(line) if isinstance(e, SampleRecorded)]
        raise AssertionError(f"{holds.__doc__} After {len(verdicts)}: {verdicts[-3:]}") from None


def watch(line: Line, prometheus: str) -> None:
    """Start the processes that watch and decide and explain."""
    clusters = line.folder / "clusters.toml"
    clusters.write_text(
        f'[[cluster]]\nid = "{CLUSTER}"\ninterval_s = {INTERVAL_S}\n'
        f'[cluster.prometheus]\nurl = "{prometheus}"\nscrape_interval_s = {SCRAPE_INTERVAL_S}\n'
    )
    line.start_worker("a")
    line.start_worker("explainer", module="copilot_workflows.explainer.main")
    line.start_worker(
        "scraper",
        module="copilot.main",
        args=("run", "scraper"),
        clusters_file=clusters,
        scraper_settle_s=0.5,
    )


async def test_workers_stop_and_come_back(
    line: Line,
    temporal: Temporal,
    prometheus_at: Callable[[Mapping[str, str]], ScrapingPrometheus],
) -> None:
    """Happy with a worker; stopped, no longer, because no worker polls; back, better again."""
    metrics = f"127.0.0.1:{free_port()}"
    prometheus = prometheus_at({"temporal": temporal.metrics, "workers": metrics})
    agents = line.start_worker(
        "agents",
        module="copilot_workflows.worker.main",
        temporal_address=temporal.address,
        temporal_namespace=NAMESPACE,
        temporal_task_queue=QUEUE,
        temporal_sdk_metrics=metrics,
        log_level="error",
        researcher_model="none",
    )
    async with load(temporal.address):
        await asyncio.sleep(20)  # the shortest window of rates is a minute: let it fill a little
        watch(line, prometheus.url)

        async def happy() -> bool:
            """The newest verdict is happy, with the pulse of everybody seen."""
            samples = [e for e in await health(line) if isinstance(e, SampleRecorded)]
            return bool(samples) and samples[-1].verdict.status is Status.HAPPY

        await until(line, happy, within_s=120)
        agents.stop()

        async def workers_absent() -> bool:
            """Not happy, and the first cause is that no worker polls."""
            ranked = [e for e in await health(line) if isinstance(e, CausesRanked)]
            first = ranked[-1].causes[:1] if ranked else ()
            return [(c.component, c.kind) for c in first] == [("workers", "absent")] and (
                ranked[-1].status in (Status.STRESSED, Status.CRITICAL)
            )

        await until(line, workers_absent, within_s=180)
        agents.start()

        async def better() -> bool:
            """The last transition is for the better."""
            told = [e for e in await health(line) if isinstance(e, HealthTransitioned)]
            return rank(told[-1].to) < rank(told[-1].from_)

        await until(line, better, within_s=240)

    async def said() -> bool:
        """Some transition was told with the runbook of absent workers."""
        told = [r.decoded() for r in await line.log.read_stream(f"explanation/{CLUSTER}")]
        return "workers-absent" in [
            e.explanation.next_step.runbook for e in told if isinstance(e, TransitionExplained)
        ]

    await until(line, said, within_s=30)
