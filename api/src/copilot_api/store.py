"""Reading the store without ever hanging on it.

Theory of operation. A database that is paused answers nothing and closes nothing: a read may hang
for minutes, and giving its connection back may hang as well. So a read runs as a task of its own;
when it is late it is cancelled, *not* awaited, and the caller gets `Unavailable` at once. What
hangs holds one connection of a bounded pool and comes free when the database moves again. All that
a broken connection may raise becomes `Unavailable` here, in one place.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge

from copilot_core.errors import Unavailable

T = TypeVar("T")


class Store:
    """The door through which every read goes; knows whether the last one was answered.

    `timeout_s` bounds each read. `reached` is True once any read was ever answered.
    """

    def __init__(self, *, timeout_s: float, registry: CollectorRegistry) -> None:
        self._timeout_s = timeout_s
        self._late: set[asyncio.Task[Any]] = set()
        self.reached = False
        self.away_because = ""
        self._up = Gauge(
            "copilot_api_store_up", "1 when the last read of the store was answered",
            registry=registry,
        )  # fmt: skip
        self._failures = Counter(
            "copilot_api_store_failures_total", "Reads that the store did not answer",
            registry=registry,
        )  # fmt: skip

    async def read(self, query: Coroutine[Any, Any, T]) -> T:
        """Await a read; raises `Unavailable` when it is late or its connection breaks."""
        task = asyncio.ensure_future(query)
        try:
            done, _ = await asyncio.wait({task}, timeout=self._timeout_s)
        except asyncio.CancelledError:
            self._abandon(task)
            raise
        if not done:
            self._abandon(task)
            raise self._away(f"the database did not answer within {self._timeout_s:g} s")
        try:
            answer = task.result()
        except Unavailable as e:
            self._away(e.what)
            raise
        except (OSError, TimeoutError) as e:
            raise self._away(f"the database cannot be reached: {e!r}") from e
        self.reached, self.away_because = True, ""
        self._up.set(1)
        return answer

    def _abandon(self, task: asyncio.Task[Any]) -> None:
        task.cancel()
        self._late.add(task)  # the loop itself keeps only weak references to tasks
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._late.discard(task)
        if not task.cancelled():
            task.exception()  # an error nobody waits for any more is not worth a warning

    def _away(self, why: str) -> Unavailable:
        self.away_because = why
        self._up.set(0)
        self._failures.inc()
        return Unavailable(why, where="log database")
