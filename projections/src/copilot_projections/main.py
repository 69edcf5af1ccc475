"""`copilot run projector`: the process that keeps the read models up with the log."""

from __future__ import annotations

import os
import socket
import sys

from copilot_eventlog.connect import open_pool
from copilot_eventlog.postgres import PostgresLog
from copilot_projections.projector import Projector
from copilot_projections.settings import ProjectorSettings
from copilot_projections.views import VIEWS
from copilot_service import Service, read_settings


def main() -> int:
    """Run the projector as the environment says; returns the exit code."""
    settings = read_settings(ProjectorSettings)
    return Service("projector", settings).run(lambda service: project(service, settings))


async def project(service: Service, settings: ProjectorSettings) -> None:
    """Build the projector and run it until the service stops."""
    pool = await open_pool(settings)
    log = PostgresLog(pool)
    try:
        await Projector(
            log,
            pool,
            VIEWS.values(),
            service=service,
            dialect=settings.dialect,
            owner=f"{socket.gethostname()}:{os.getpid()}",
            on_poison=settings.views_on_poison,
            batch_events=settings.views_batch_events,
            poll_max_s=settings.views_poll_max_s,
        ).run()
    finally:
        await log.close()


if __name__ == "__main__":
    sys.exit(main())
