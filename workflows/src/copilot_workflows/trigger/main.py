"""`copilot run trigger`: the process that starts a workflow for everything that is explained."""

from __future__ import annotations

import sys

from copilot_eventlog.postgres import open_log
from copilot_eventlog.protocol import EventLog
from copilot_service import Service, run_process
from copilot_service.following import follow
from copilot_workflows.following import REFRESH_S
from copilot_workflows.settings import TriggerSettings
from copilot_workflows.temporal import connect
from copilot_workflows.trigger.starter import Trigger


async def run_trigger(service: Service, settings: TriggerSettings) -> None:
    """Start workflows until the service stops, from the log that the settings name."""
    log = await open_log(settings)
    try:
        await trigger(service, settings, log)
    finally:
        await log.close()


async def trigger(service: Service, settings: TriggerSettings, log: EventLog) -> None:
    """Start workflows until the service stops, from a log that somebody else opened and closes."""
    starter = Trigger(
        log,
        await connect(settings),
        service.registry,
        task_queue=settings.temporal_task_queue,
        at_once=settings.trigger_starts_at_once,
        timeout_s=settings.temporal_call_timeout_s,
    )
    await service.until_stopped(
        follow(
            service,
            starter,
            condition="following",
            pause_max_s=settings.follow_poll_max_s,
            refresh_s=REFRESH_S,
            patience_s=settings.follow_patience_s,
        )
    )


def main() -> int:
    """Run the trigger that the environment describes; returns the exit code."""
    return run_process("trigger", TriggerSettings, run_trigger)


if __name__ == "__main__":
    sys.exit(main())
