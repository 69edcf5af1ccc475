"""One look at the log for everybody: wakes event streams, and keeps the last known states.

Theory of operation. Two loops that never end by themselves:

    looking      at the heads of all shards, every `period_s`. When one has moved, waiting event
                 streams are woken; while none waits the look is a mere sign of life, taken ten
                 times less often.
    remembering  every `REMEMBER_S`, what should be known when the database goes away, also about
                 clusters that nobody had asked for. A loop of its own: reading many statuses
                 slowly must not delay the streams.

A store that is away is no reason to stop: this process is what tells people so. Every look counts
as progress, answered or not.
"""

from __future__ import annotations

import asyncio
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
        self._troubles: dict[str, str] = {}
        self._waiting = 0
        self._woken = asyncio.Event()
        self.generation = 0
        self.closed = False

    async def run(self) -> None:
        """Look and remember until cancelled."""
        async with asyncio.TaskGroup() as loops:
            loops.create_task(self._looking())
            loops.create_task(self._remembering())

    async def _looking(self) -> None:
        while True:
            try:
                heads = await self._store.read(self._read_heads())
            except Unavailable as e:
                self._note("the log cannot be read", e.what)
                self._heads = {}  # whoever was refused meanwhile is woken by the first answer
            else:
                self._note("the log cannot be read", "")
                if heads != self._heads:
                    self._heads = heads
                    self._wake()
            self._progress()
            await self._rest()

    async def _remembering(self) -> None:
        while True:
            try:
                await self._remember()
            except Unavailable as e:
                self._note("the views cannot be read", e.what)
            else:
                self._note("the views cannot be read", "")
            await asyncio.sleep(REMEMBER_S)

    def _note(self, trouble: str, why: str) -> None:
        """Log trouble when it begins and when it ends, not every half second in between."""
        if why and not self._troubles.get(trouble):
            log.warning("answers may be stale", trouble=trouble, why=why)
        if self._troubles.get(trouble) and not why:
            log.info("no longer so", trouble=trouble)
        self._troubles[trouble] = why

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
            if self._waiting or any(self._troubles.values()):
                return

    async def _read_heads(self) -> dict[int, int]:
        shards = await self._log.shards()
        heads = await asyncio.gather(*(self._log.head(shard) for shard in shards))
        return {head.shard: head.next_position for head in heads if head is not None}
