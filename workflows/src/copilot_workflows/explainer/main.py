"""`copilot run explainer`: the process that words every transition by rule."""

from __future__ import annotations

import os
import socket
import sys

from copilot_eventlog.postgres import open_log
from copilot_eventlog.protocol import EventLog
from copilot_service import Service, run_process
from copilot_service.following import follow
from copilot_workflows.explainer.follower import Explainer
from copilot_workflows.following import REFRESH_S
from copilot_workflows.settings import ExplainerSettings


async def run_explainer(service: Service, settings: ExplainerSettings) -> None:
    """Explain until the service stops, from the log that the settings name."""
    log = await open_log(settings)
    try:
        await explain(service, settings, log)
    finally:
        await log.close()


async def explain(service: Service, settings: ExplainerSettings, log: EventLog) -> None:
    """Explain until the service stops, from a log that somebody else opened and closes."""
    writer = f"explainer {socket.gethostname()}/{os.getpid()}"
    explainer = await Explainer.taken_over(log, service.registry, writer=writer)
    await service.until_stopped(
        follow(
            service,
            explainer,
            condition="following",
            pause_max_s=settings.follow_poll_max_s,
            refresh_s=REFRESH_S,
            patience_s=settings.follow_patience_s,
        )
    )


def main() -> int:
    """Run the explainer that the environment describes; returns the exit code."""
    return run_process("explainer", ExplainerSettings, run_explainer)


if __name__ == "__main__":
    sys.exit(main())
