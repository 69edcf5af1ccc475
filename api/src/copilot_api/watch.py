"""One look at the log for everybody: wakes event streams, and keeps the last known states.

Theory of operation. A single task looks at the heads of all shards every `period_s`. When a head
has moved, waiting event streams are woken; without a waiting stream the look is a mere sign of
life, taken ten times less often. Every `REMEMBER_S` the task also reads all statuses, so that this
process can say, when the database goes away, what was last known and how old that is, also about
clusters that nobody had asked for.

A store that is away is no reason to stop: this process is what tells people so. The task therefore
counts every look as progress, answered or not.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from copilot_api.store import Store
from copilot_core.errors import Unavailable
from copilot_eventlog.protocol import EventLog

log = structlog.get_logger(__name__)

REMEMBER_S: Final = 5.0
IDLE_FACTOR: Final = 10
"""Nobody is waiting: look this many times less often."""


class Watch:
    """Knows how far the log has come; `generation` grows whenever there may be something to read.

    `remember` reads and keeps what should be known when the store is away, and may raise
    `Unavailable`; `progress` is called after every look.
    """

    def __init__(
        self,
        event_log: EventLog,
        store: Store,
        *,
        period_s: float,
        remember: Callable[[], Awaitable[object]],
        progress: Callable[[], None],
    ) -> None:
        self._log = event_log
        self._store = store
        self._period_s = period_s
        self._remember = remember
        self._progress = progress
        self._heads: dict[int, int] = {}
        self._trouble = ""
        self._waiting = 0
        self._woken = asyncio.Event()
        self._remembered_at = -REMEMBER_S
        self.generation = 0
        self.closed = False

    async def run(self) -> None:
        """Look at the log until cancelled."""
        while True:
            await self.look()
            self._progress()
            await self._rest()

    async def look(self) -> None:
        """Look once; wakes the streams when the log has moved or the store has come back."""
        try:
            heads = await self._store.read(self._read_heads())
        except Unavailable as e:
            self._note(f"the log cannot be read: {e.what}")
            self._heads = {}
            return
        if heads != self._heads:
            self._heads = heads
            self._wake()
        if time.monotonic() - self._remembered_at >= REMEMBER_S:
            try:
                await self._remember()
            except Unavailable as e:
                self._note(f"the views cannot be read: {e.what}")
                return
            self._remembered_at = time.monotonic()
        self._note("")

    def _note(self, trouble: str) -> None:
        """Log trouble when it begins and when it ends, not every half second in between."""
        if trouble and not self._trouble:
            log.warning("answers may be stale", why=trouble)
        if self._trouble and not trouble:
            log.info("the store answers again")
        self._trouble = trouble

    async def moved(self, since: int, *, within_s: float) -> None:
        """Return when the generation is no longer `since`, when closed, or after `within_s`."""
        self._waiting += 1
        try:
            async with asyncio.timeout(within_s):
                while self.generation == since and not self.closed:
                    await self._woken.wait()
        except TimeoutError:
            pass
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """End every event stream: the process is about to stop."""
        self.closed = True
        self._wake()

    def _wake(self) -> None:
        self.generation += 1
        self._woken.set()
        self._woken = asyncio.Event()

    async def _rest(self) -> None:
        for _ in range(IDLE_FACTOR):
            await asyncio.sleep(self._period_s)
            if self._waiting or self._trouble:
                return

    async def _read_heads(self) -> dict[int, int]:
        shards = await self._log.shards()
        heads = await asyncio.gather(*(self._log.head(shard) for shard in shards))
        return {head.shard: head.next_position for head in heads if head is not None}
