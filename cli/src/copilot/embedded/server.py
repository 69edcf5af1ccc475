"""A server as a child of ours: started, watched, stopped in order, explained when it fails."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from copilot.embedded.child import tied_to_us
from copilot_core.errors import Unavailable

if TYPE_CHECKING:
    import signal
    from collections.abc import Awaitable, Callable
    from pathlib import Path
    from typing import NoReturn

    from copilot.embedded.child import Account

_START_WITHIN_S = 60.0
_STOP_WITHIN_S = 20.0
_LOG_LINES_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Place:
    """Where a server lives: its working folder, the file of its output, and who it runs as."""

    folder: Path
    log: Path
    account: Account | None = None

    def failure(self, what: str) -> Unavailable:
        """The error for a server that failed, with the last lines it wrote."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        last = " | ".join(lines[-_LOG_LINES_SHOWN:])
        return Unavailable(what, where=str(self.log), todo=f"it said: {last or 'nothing'}")

    async def run(self, *command: str) -> asyncio.subprocess.Process:
        """Start a program here; it ends with us, also when we are killed."""
        with self.log.open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *tied_to_us(command),
                cwd=self.folder,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C reaches us alone, and we stop it in order
                user=self.account.uid if self.account else None,
                group=self.account.gid if self.account else None,
                extra_groups=[] if self.account else None,
            )


class Server:
    """One running server. Make it with `Server.started`."""

    def __init__(self, name: str, place: Place, process: asyncio.subprocess.Process) -> None:
        self._name = name
        self._place = place
        self._process = process

    @classmethod
    async def started(
        cls,
        name: str,
        place: Place,
        *,
        command: tuple[str, ...],
        answers: Callable[[], Awaitable[bool]],
    ) -> Server:
        """Start `command` and wait until `answers()` gives true.

        Raises Unavailable when the program ends first or does not answer in time; it is gone then.
        """
        server = cls(name, place, await place.run(*command))
        try:
            async with asyncio.timeout(_START_WITHIN_S):
                while not await answers():
                    if server._process.returncode is not None:
                        await server.ended()
                    await asyncio.sleep(0.05)
        except BaseException as error:
            await server._kill()
            if isinstance(error, TimeoutError):
                silent = f"{name} did not answer in {_START_WITHIN_S:.0f} s"
                raise place.failure(silent) from error
            raise
        return server

    async def ended(self) -> NoReturn:
        """Wait for the server to end by itself, which it never should: raises Unavailable."""
        code = await self._process.wait()
        raise self._place.failure(f"{self._name} ended by itself with exit code {code}")

    async def stop(self, how: signal.Signals) -> None:
        """Ask the server to end, then wait; killed when it has not ended after 20 s."""
        if self._process.returncode is not None:
            return
        self._process.send_signal(how)
        try:
            async with asyncio.timeout(_STOP_WITHIN_S):
                await self._process.wait()
        except TimeoutError:
            await self._kill()

    async def _kill(self) -> None:
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
