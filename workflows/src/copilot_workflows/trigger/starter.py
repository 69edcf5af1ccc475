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

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from whenever import Instant

from copilot_core.errors import Rejected
from copilot_core.events import RecordedEvent
from copilot_eventlog.protocol import Checkpoint, DeadLetter, EventLog
from copilot_workflows.following import PAGE, partition_shards
from copilot_workflows.names import workflow_id_of, workflow_of
from copilot_workflows.subjects import Subject, subjects_of
from copilot_workflows.temporal import calling

READER: Final = "trigger"
BUILD: Final = "1"

log_ = structlog.get_logger(__name__)


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
        self._positions: dict[int, int] = {}
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
        for shard in await partition_shards(self._log):
            stored = await self._log.load_checkpoint(READER, BUILD, shard)
            position = max(stored.position, self._positions.get(shard, -1))
            self._positions[shard] = position
            head = await self._log.head(shard)
            behind = head.next_position - 1 - position if head else 0
            self._lag.labels(str(shard)).set(behind)

    async def step(self) -> int:
        """See `Follower.step`. Raises `Unavailable` when log or server are away; what was started
        then is asked for again."""
        moved = 0
        for shard in list(self._positions):
            page = await self._log.read(shard, after=self._positions[shard], limit=PAGE)
            if page:
                moved += len(page)
                await self._start_all([s for event in page for s in await self._subjects(event)])
                position = page[-1].position
                await self._log.save_checkpoint(Checkpoint(READER, BUILD, shard, position))
                self._positions[shard] = position
        return moved

    async def _subjects(self, event: RecordedEvent) -> tuple[Subject, ...]:
        try:
            return subjects_of(event)
        except Rejected as e:
            source = f"trigger/shard {event.shard}@{event.position}"
            letter = DeadLetter(
                id=source, source=source, code=e.code, reason=str(e), body=event.payload,
                at=Instant.now(),
            )  # fmt: skip
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
