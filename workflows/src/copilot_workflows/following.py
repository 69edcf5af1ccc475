"""What of the log is followed here: the shards that workers write to.

Transitions are decided by workers and by nobody else. A follower gets one page of every shard in
turn.
"""

from __future__ import annotations

from typing import Final

from copilot_eventlog.protocol import DIRECT_SHARDS, EventLog

PAGE: Final = 500
REFRESH_S: Final = 1.0
"""How often new shards are looked for: a shard begins when a worker takes it over, long before its
first transition."""


async def partition_shards(log: EventLog) -> list[int]:
    """The shards that workers write to."""
    return [shard for shard in await log.shards() if shard < DIRECT_SHARDS]
