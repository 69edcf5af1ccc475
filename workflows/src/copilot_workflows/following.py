"""Following the log: what workers decided, shard by shard, from where a follower stood.

Theory of operation. Transitions are decided by workers and by nobody else, so only the shards of
partitions are read. A follower gets one page of every shard in turn; what it makes of a page and
how it remembers where it stands is its own affair. While nothing comes, the pause between two looks
doubles up to the limit that was set; a log that is away is waited for, and readiness says so.
"""

from __future__ import annotations

import asyncio
import time
from typing import Final, Protocol

import stamina

from copilot_core.errors import Unavailable
from copilot_eventlog.protocol import DIRECT_SHARDS, EventLog
from copilot_service import Service

PAGE: Final = 500
POLL_MIN_S: Final = 0.02
REFRESH_S: Final = 1.0
"""How often new shards are looked for: a shard begins when a worker takes it over, long before its
first transition."""


class Follower(Protocol):
    """One who follows the log."""

    async def refresh(self) -> None:
        """Look for new shards, and tell how far behind one is."""
        ...

    async def step(self) -> int:
        """Deal with one page of every shard; returns how many events were dealt with."""
        ...


async def partition_shards(log: EventLog) -> list[int]:
    """The shards that workers write to."""
    return [shard for shard in await log.shards() if shard < DIRECT_SHARDS]


async def follow(
    service: Service, follower: Follower, *, poll_max_s: float, patience_s: float
) -> None:
    """Follow for ever. Raises `Unavailable` when something needed is away for longer than
    `patience_s`, and whatever else the follower raises."""
    pause_s, refreshed_at = POLL_MIN_S, float("-inf")
    while True:
        refresh = time.monotonic() - refreshed_at > REFRESH_S
        refreshed_at = time.monotonic() if refresh else refreshed_at
        moved = await _pass(service, follower, patience_s, refresh=refresh)
        service.progress()
        pause_s = POLL_MIN_S if moved else min(2 * pause_s, poll_max_s)
        await asyncio.sleep(0 if moved else pause_s)


async def _pass(service: Service, follower: Follower, patience_s: float, *, refresh: bool) -> int:
    """One pass over all shards, tried again while the other side is away."""
    moved = 0
    async for attempt in stamina.retry_context(
        on=Unavailable, attempts=None, timeout=patience_s, wait_initial=0.2, wait_max=2.0
    ):
        with attempt:
            try:
                if refresh:
                    await follower.refresh()
                moved = await follower.step()
            except Unavailable as e:
                service.set_ready("following", False, why=e.what)
                raise
    service.set_ready("following", True)
    return moved
