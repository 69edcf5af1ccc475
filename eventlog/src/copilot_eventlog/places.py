"""How far a reader of the log has come, kept in the log as its checkpoints.

A reader that was replaced finds its successor's checkpoint ahead of its own place and goes on from
there; a place never moves back.
"""

from __future__ import annotations

from collections.abc import Iterable

from copilot_eventlog.protocol import Checkpoint, EventLog


async def lag(log: EventLog, shard: int, position: int) -> int:
    """How many events of a shard lie behind a position; raises `Unavailable`."""
    head = await log.head(shard)
    return head.next_position - 1 - position if head else 0


class Places:
    """The places of one reader. `positions` is the last position dealt with, by shard."""

    def __init__(self, log: EventLog, *, reader: str, build: str) -> None:
        self.positions: dict[int, int] = {}
        self._log = log
        self._reader = reader
        self._build = build

    async def refresh(self, shards: Iterable[int]) -> dict[int, int]:
        """Take new shards up, and checkpoints that another process moved; returns the lag of each
        shard in events.

        Raises `Unavailable` when the log does not answer.
        """
        lags: dict[int, int] = {}
        for shard in shards:
            stored = await self._log.load_checkpoint(self._reader, self._build, shard)
            position = max(stored.position, self.positions.get(shard, -1))
            self.positions[shard] = position
            lags[shard] = await lag(self._log, shard, position)
        return lags

    async def move(self, shard: int, position: int) -> None:
        """Everything up to a position is dealt with; raises `Unavailable`."""
        await self._log.save_checkpoint(Checkpoint(self._reader, self._build, shard, position))
        self.positions[shard] = position
