"""The worker with a log that kills the process at a chosen append. An entry point for tests.

TEST_CRASH=before:3   the third append is not made: dies between fetch and append
TEST_CRASH=after:3    it is made, nobody hears of it: dies between append and acknowledgement
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence

from copilot_core.events import NewEvent
from copilot_eventlog.postgres import PostgresLog, open_log
from copilot_eventlog.protocol import Head
from copilot_service import Service, run_process
from copilot_streams.worker.main import work
from copilot_streams.worker.settings import WorkerSettings


class DyingLog(PostgresLog):
    """The real log; its n-th append is the process's last deed."""

    when: str
    countdown: int

    async def append(
        self, head: Head, events: Sequence[NewEvent], *, source_offset: int, carry: bytes = b""
    ) -> Head:
        """Append, unless it is time to die first."""
        self.countdown -= 1
        if self.countdown <= 0 and self.when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        head = await super().append(head, events, source_offset=source_offset, carry=carry)
        if self.countdown <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return head


async def _run(service: Service, settings: WorkerSettings) -> None:
    log = await open_log(settings)
    log.__class__ = DyingLog
    when, count = os.environ["TEST_CRASH"].split(":")
    log.when, log.countdown = when, int(count)  # ty: ignore[missing-attribute]
    await work(service, settings, log)


if __name__ == "__main__":
    sys.exit(run_process("worker", WorkerSettings, _run))
