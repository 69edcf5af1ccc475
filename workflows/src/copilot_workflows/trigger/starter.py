"""One workflow per transition, one per ended incident: neither missed nor doubled.

Theory of operation. The trigger reads the log from its own checkpoint, like a read model. It starts
the workflows of a page side by side, and moves the checkpoint when the server has taken all of
them. Whatever happens in between, the page is read again; a workflow that exists under its id is
the one that was wanted (`WorkflowAlreadyStartedError`: it ran already; while it runs, the server
gives the same one back). So being away, or being there twice, changes nothing.

The server forgets closed workflows after the namespace's retention. A trigger that repeats older
ones, because its checkpoint was lost, starts workflows that find their explanation in the log.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from whenever import Instant

from copilot_core.errors import Rejected
from copilot_core.events import RecordedEvent
from copilot_eventlog.places import Places
from copilot_eventlog.protocol import DeadLetter, EventLog
from copilot_workflows.following import PAGE, partition_shards
from copilot_workflows.names import workflow_id_of, workflow_of
from copilot_workflows.subjects import Subject, subjects_of
from copilot_workflows.temporal import calling

READER: Final = "trigger"
BUILD: Final = "1"


class Trigger:
    """Starts workflows for what the shards of partitions hold.

    `at_once` bounds the starts under way, `timeout_s` each of them.
    """

    def __init__(
        self,
        log: EventLog,
        client: Client,
        registry: CollectorRegistry,
        *,
        task_queue: str,
        at_once: int,
        timeout_s: float,
    ) -> None:
        self._log = log
        self._client = client
        self._task_queue = task_queue
        self._slots = asyncio.Semaphore(at_once)
        self._timeout_s = timeout_s
        self._places = Places(log, reader=READER, build=BUILD)
        self._starts = Counter(
            "copilot_trigger_starts_total",
            "Workflows asked for, by what the server said: started or known",
            ["workflow", "said"],
            registry=registry,
        )
        self._letters = Counter(
            "copilot_trigger_dead_letters_total",
            "Transitions that could not be read, by reason",
            ["reason"],
            registry=registry,
        )
        self._lag = Gauge(
            "copilot_trigger_lag_events",
            "Events recorded but not looked at",
            ["shard"],
            registry=registry,
        )

    async def refresh(self) -> None:
        """See `Follower.refresh`."""
        lags = await self._places.refresh(await partition_shards(self._log))
        for shard, behind in lags.items():
            self._lag.labels(str(shard)).set(behind)

    async def step(self) -> int:
        """See `Follower.step`. Raises `Unavailable` when log or server are away; what was started
        then is asked for again."""
        moved = 0
        for shard, position in list(self._places.positions.items()):
            page = await self._log.read(shard, after=position, limit=PAGE)
            if page:
                moved += len(page)
                await self._start_all([s for event in page for s in await self._subjects(event)])
                await self._places.move(shard, page[-1].position)
        return moved

    async def _subjects(self, event: RecordedEvent) -> tuple[Subject, ...]:
        try:
            return subjects_of(event)
        except Rejected as e:
            letter = DeadLetter.of_event(
                event, reader=READER, code=e.code, reason=str(e), at=Instant.now()
            )
            await self._log.bury(letter)
            self._letters.labels(e.code).inc()
            return ()

    async def _start_all(self, subjects: Iterable[Subject]) -> None:
        """Start them side by side; the first failure is raised when all others have ended."""
        outcomes = await asyncio.gather(
            *(self._start(subject) for subject in subjects), return_exceptions=True
        )
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    async def _start(self, subject: Subject) -> None:
        name, id_ = workflow_of(subject), workflow_id_of(subject)
        said = "started"
        try:
            async with self._slots, calling(f"start {name} {id_}", timeout_s=self._timeout_s):
                await self._client.start_workflow(
                    name,
                    subject,
                    id=id_,
                    task_queue=self._task_queue,
                    id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                    id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                )
        except WorkflowAlreadyStartedError:
            said = "known"
        self._starts.labels(name, said).inc()
