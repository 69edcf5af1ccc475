"""A follower keeps one build of a view up with the log.

Theory of operation. For each shard it reads the events behind the build's checkpoint and takes them
in, a batch per step. What can go wrong with a batch, and what follows:

    Conflict               somebody else moved the checkpoint: read it again, go on behind it
    TransactionTooLarge    the batch changes too much: smaller batches from now on
    Rejected               an event cannot be taken: halve the batch until it stands alone, then
                           bury it and go on behind it (policy continue) or stop there (pause)
    anything else          for the caller: the store is away, or this view has a bug
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from enum import StrEnum
from typing import Final

import asyncpg
import structlog
from whenever import Instant

from copilot_core.errors import Conflict, Defect, Rejected
from copilot_core.events import RecordedEvent
from copilot_eventlog.failures import TransactionTooLarge
from copilot_eventlog.protocol import DeadLetter, EventLog
from copilot_eventlog.replay import pages
from copilot_projections.shape import View
from copilot_projections.step import BuildWriter

_log = structlog.get_logger(__name__)

BATCH_EVENTS: Final = 500
"""Events of one step at the most: about 0.5 MB, and a transaction of some milliseconds."""


class OnPoison(StrEnum):
    """What a view does about an event that it cannot take."""

    CONTINUE = "continue"
    """Bury it as a dead letter and go on: the rest of the view stays up to date."""
    PAUSE = "pause"
    """Bury it and stop the view there, until a program that can take the event is started."""


class Follower:
    """Keeps one build of a view up with the log.

    `positions` is the last position taken in, by shard. `events` counts those taken in by this
    follower, `dead_letters` those it buried, `conflicts` how often somebody else had moved a
    checkpoint; `clock` dates the letters.
    """

    def __init__(
        self,
        log: EventLog,
        pool: asyncpg.Pool,
        *,
        view: View,
        build: str,
        owner: str,
        on_poison: OnPoison = OnPoison.CONTINUE,
        batch_events: int = BATCH_EVENTS,
        clock: Callable[[], Instant] = Instant.now,
    ) -> None:
        self.view = view
        self.build = build
        self.positions: dict[int, int] = {}
        self.events = 0
        self.dead_letters = 0
        self.conflicts = 0
        self._log = log
        self._writer = BuildWriter(pool, view, build, owner)
        self._on_poison = on_poison
        self._batch_events = self._most_events = batch_events
        self._clock = clock

    async def advance(self, until: Mapping[int, int]) -> bool:
        """Take in at most one batch per shard, up to and including position `until[shard]`.

        Returns True when there is more to take in. Raises `Unavailable` when log or tables are
        away, `Rejected` for an event that pauses the view, and `Defect` for a bug.
        """
        if any(shard not in self.positions for shard in until):
            self.positions = await self._writer.checkpoints(sorted(until))
        for shard in sorted(until):
            if self.positions[shard] < until[shard]:
                await self._advance_shard(shard, until[shard])
        return any(self.positions[shard] < last for shard, last in until.items())

    async def catch_up(self, until: Mapping[int, int]) -> None:
        """Take in everything up to and including `until`, reading a batch ahead.

        Raises as `advance` does.
        """
        if any(shard not in self.positions for shard in until):
            self.positions = await self._writer.checkpoints(sorted(until))
        for shard in sorted(until):
            while self.positions[shard] < until[shard]:
                await self._catch_up_shard(shard, until[shard])

    async def _catch_up_shard(self, shard: int, until: int) -> None:
        """Take in batches until the end, or until they have to be read anew."""
        after = self.positions[shard]
        size = self._batch_events
        async with aclosing(pages(self._log, shard, after=after, to=until, size=size)) as batches:
            async for events in batches:
                await self._settle(shard, after, events)
                after = events[-1].position
                if self.positions[shard] != after:
                    return
        if after != until:
            raise self._gap(shard, after)

    async def _advance_shard(self, shard: int, until: int) -> None:
        after = self.positions[shard]
        limit = min(self._batch_events, until - after)
        await self._settle(shard, after, await self._log.read(shard, after=after, limit=limit))

    async def _settle(self, shard: int, after: int, events: Sequence[RecordedEvent]) -> None:
        """Take a batch in, or do what follows from its not being taken."""
        if not events or events[0].position != after + 1:
            raise self._gap(shard, after)
        try:
            await self._take(shard, events)
        except Conflict:
            self.conflicts += 1
            self.positions.update(await self._writer.checkpoints([shard]))
        except TransactionTooLarge:
            if len(events) == 1:
                raise
            self._batch_events = max(1, len(events) // 2)
        else:
            self._batch_events = min(self._most_events, self._batch_events + 50)

    def _gap(self, shard: int, after: int) -> Defect:
        return Defect(
            f"the log has no event {after + 1}, although its head is behind it",
            where=f"shard {shard}",
            todo="run copilot log verify",
        )

    async def _take(self, shard: int, events: Sequence[RecordedEvent]) -> None:
        after, position = self.positions[shard], events[-1].position
        try:
            await self._writer.write(shard, after=after, events=events, position=position)
        except Rejected as e:
            if len(events) == 1:
                await self._poisoned(shard, events[0], e)
            else:
                half = len(events) // 2
                await self._take(shard, events[:half])
                await self._take(shard, events[half:])
            return
        self.positions[shard] = position
        self.events += len(events)

    async def _poisoned(self, shard: int, event: RecordedEvent, why: Rejected) -> None:
        letter = DeadLetter.of_event(
            event,
            reader=f"view:{self.view.name}",
            code=why.code,
            reason=str(why),
            at=self._clock(),
        )
        await self._log.bury(letter)
        self.dead_letters += 1
        _log.error(
            "event buried",
            view=self.view.name,
            build=self.build,
            source=letter.source,
            type=event.type,
            stream=event.stream,
            version=event.version,
            code=why.code,
            what=why.what,
            then=self._on_poison.value,
        )
        if self._on_poison is OnPoison.PAUSE:
            raise why
        await self._writer.write(
            shard, after=self.positions[shard], events=(), position=event.position
        )
        self.positions[shard] = event.position


async def ends_of(log: EventLog) -> dict[int, int]:
    """The last position of every shard of the log, -1 for an empty one."""
    ends: dict[int, int] = {}
    for shard in await log.shards():
        head = await log.head(shard)
        ends[shard] = head.next_position - 1 if head else -1
    return ends
