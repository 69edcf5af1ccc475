"""Several parts of the line in one process tree, each kept running until all are told to stop.

Theory of operation. A part is a child process: the same command that runs it in production. What
happens when one ends by itself:

    exit 2           the input is wrong and will be wrong again: everything stops, with 2
    any other exit   started again, after a pause that doubles up to half a minute; a part that ran
                     for a minute starts with the shortest pause again

On SIGTERM or SIGINT every part gets SIGTERM, in reverse order of their start, and a bounded time to
end. A part does not outlive this process, also when it is killed (see `embedded/child.py`).
"""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import structlog

from copilot.embedded.child import tied_to_us
from copilot.settings import inherited
from copilot_core.errors import CopilotError, Rejected

FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 30.0
GOOD_RUN_S: Final = 60.0
STOP_S: Final = 15.0
"""A part has 10 s to stop cleanly (`COPILOT_STOP_TIMEOUT_S`) and 3 more for cancelled work."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Part:
    """A child process: its name, its command, and what its environment has beside ours.

    What it writes goes to `output`, or where ours goes.
    """

    name: str
    command: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    output: Path | None = None


def copilot_part(name: str, *, env: Mapping[str, str], output: Path | None = None) -> Part:
    """The part that `copilot run NAME` is."""
    return Part(name, (sys.executable, "-m", "copilot.main", "run", name), env, output)


class PartRefused(Rejected):
    """A part ended with exit code 2; what was wrong stands in its own last lines."""


class Supervisor:
    """Keeps parts running. `restarts` counts, by name, how often one had to be started again."""

    def __init__(self, parts: Sequence[Part], *, first_pause_s: float = FIRST_PAUSE_S) -> None:
        self._parts = parts
        self._first_pause_s = first_pause_s
        self._running: dict[str, asyncio.subprocess.Process] = {}
        self.restarts = {part.name: 0 for part in parts}

    def pid(self, name: str) -> int | None:
        """The process id of a part, None while it is not running."""
        process = self._running.get(name)
        return process.pid if process is not None else None

    async def run(self, stopping: asyncio.Event) -> None:
        """Run all parts until `stopping` is set; raises `PartRefused` when one cannot run."""
        keepers = [asyncio.create_task(self._keep(part), name=part.name) for part in self._parts]
        waiter = asyncio.create_task(stopping.wait())
        try:
            await asyncio.wait([waiter, *keepers], return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiter.cancel()
            for keeper in keepers:
                keeper.cancel()
            ended = await asyncio.gather(*keepers, return_exceptions=True)
            await self._stop()
        for error in ended:
            if isinstance(error, CopilotError):
                raise error

    async def _keep(self, part: Part) -> None:
        pause_s = self._first_pause_s
        while True:
            began = time.monotonic()
            code = await self._once(part)
            if code == Rejected.exit_code:
                raise PartRefused(
                    f"{part.name} ended with exit code {code}",
                    where=part.name,
                    todo="see its last lines above",
                    code="part_refused",
                )
            if time.monotonic() - began >= GOOD_RUN_S:
                pause_s = self._first_pause_s
            log.warning("part ended", part=part.name, exit_code=code, again_in_s=pause_s)
            await asyncio.sleep(pause_s)
            self.restarts[part.name] += 1
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    async def _once(self, part: Part) -> int:
        with part.output.open("ab") if part.output else nullcontext() as output:
            process = await asyncio.create_subprocess_exec(
                *tied_to_us(part.command),
                env={**inherited(), **part.env},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C reaches us alone, and we stop the parts in order
            )
        self._running[part.name] = process
        log.info("part started", part=part.name, pid=process.pid)
        code = await process.wait()
        del self._running[part.name]
        return code

    async def _stop(self) -> None:
        """End what still runs: asked first, killed when it takes too long."""
        left = [p for part in reversed(self._parts) if (p := self._running.pop(part.name, None))]
        for process in left:
            process.send_signal(signal.SIGTERM)
        endings = [asyncio.create_task(process.wait()) for process in left]
        if endings:
            await asyncio.wait(endings, timeout=STOP_S)
        for process in left:
            if process.returncode is None:
                log.error("part did not end in time, killed", pid=process.pid)
                process.kill()
                await process.wait()
