"""The Temporal Schedules: what comes again and again, without a loop anywhere.

A schedule is made by the first agents process and brought to the settings by every later one. While
a round runs, the next one is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)

from copilot_core.values import Model
from copilot_workflows.assess_on_schedule.messages import AssessRound
from copilot_workflows.names import ASSESS_ON_SCHEDULE, SYNC_KNOWLEDGE
from copilot_workflows.sync_knowledge.messages import SyncRound
from copilot_workflows.temporal import calling
from copilot_workflows.worker.settings import AgentsSettings

CATCH_UP: Final = timedelta(minutes=1)
"""Rounds that were missed for longer, because the server was away, are left out."""


@dataclass(frozen=True, slots=True)
class Round:
    """A workflow that comes again: its name is the id of its schedule, too."""

    workflow: str
    asked: Model
    every_s: int
    at_once: bool = False


def rounds(settings: AgentsSettings) -> tuple[Round, ...]:
    """Everything that comes again."""
    return (
        Round(
            ASSESS_ON_SCHEDULE,
            AssessRound(every_s=settings.assess_every_s),
            settings.assess_every_s,
        ),
        Round(SYNC_KNOWLEDGE, SyncRound(), settings.sync_knowledge_every_s, at_once=True),
    )


async def ensure(client: Client, settings: AgentsSettings) -> None:
    """See to it that the schedules are there and as the settings say.

    Raises `Unavailable` when the server does not answer, `Rejected` when it refuses.
    """
    for each in rounds(settings):
        async with calling(f"schedule {each.workflow}", timeout_s=settings.temporal_call_timeout_s):
            await _ensure(client, each, _schedule(each, settings.temporal_task_queue))


async def _ensure(client: Client, each: Round, schedule: Schedule) -> None:
    async def brought(asked: ScheduleUpdateInput) -> ScheduleUpdate | None:
        theirs = asked.description.schedule
        same = theirs.spec.intervals == schedule.spec.intervals and _queue(theirs) == _queue(
            schedule
        )
        return None if same else ScheduleUpdate(schedule)

    handle = client.get_schedule_handle(each.workflow)
    try:
        await client.create_schedule(each.workflow, schedule, trigger_immediately=each.at_once)
    except ScheduleAlreadyRunningError:
        await handle.update(brought)
        if each.at_once:
            await handle.trigger()


def _schedule(each: Round, task_queue: str) -> Schedule:
    return Schedule(
        action=ScheduleActionStartWorkflow(
            each.workflow, each.asked, id=each.workflow, task_queue=task_queue
        ),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(seconds=each.every_s))]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=CATCH_UP),
    )


def _queue(schedule: Schedule) -> str:
    action = schedule.action
    return action.task_queue if isinstance(action, ScheduleActionStartWorkflow) else ""
