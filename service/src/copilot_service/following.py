"""Following: step after step for ever, for whoever carries on where a log grows.

Theory of operation. A follower takes steps; what it makes of one and how it remembers where it
stands is its own affair. After a step that found something the next one follows at once. While
nothing comes, the pause between two looks doubles up to the limit that was set. What is away is
waited for, with readiness saying so; away for longer than the patience, and `follow` raises.
"""

from __future__ import annotations

import asyncio
import time
from typing import Final, Protocol

import stamina

from copilot_core.errors import Unavailable
from copilot_service.process import Service

PAUSE_MIN_S: Final = 0.02


class Follower(Protocol):
    """One who follows."""

    async def refresh(self) -> None:
        """Look for what is new to follow, and tell how far behind one is."""
        ...

    async def step(self) -> int:
        """Deal with what is there, a bounded part of it; returns how much was dealt with."""
        ...


async def follow(
    service: Service,
    follower: Follower,
    *,
    condition: str,
    pause_max_s: float,
    refresh_s: float,
    patience_s: float,
) -> None:
    """Follow for ever.

    `condition` names what readiness speaks of; `refresh` is called every `refresh_s`. Raises
    `Unavailable` when something needed is away for longer than `patience_s`, and whatever else the
    follower raises.
    """
    pause_s, refreshed_at = PAUSE_MIN_S, float("-inf")
    while True:
        refresh = time.monotonic() - refreshed_at > refresh_s
        refreshed_at = time.monotonic() if refresh else refreshed_at
        moved = 0
        async for attempt in stamina.retry_context(
            on=Unavailable, attempts=None, timeout=patience_s, wait_initial=0.2, wait_max=2.0
        ):
            with attempt:
                moved = await _step(service, follower, condition, refresh=refresh)
        service.progress()
        pause_s = PAUSE_MIN_S if moved else min(2 * pause_s, pause_max_s)
        await asyncio.sleep(0 if moved else pause_s)


async def _step(service: Service, follower: Follower, condition: str, *, refresh: bool) -> int:
    try:
        if refresh:
            await follower.refresh()
        moved = await follower.step()
    except Unavailable as e:
        service.set_ready(condition, False, why=e.what)
        raise
    service.set_ready(condition, True)
    return moved
