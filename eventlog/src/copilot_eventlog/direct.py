"""Appends by those who write what no message led to: a configuration, an explanation, a cost.

Theory of operation. Nobody owns these streams as a worker owns its shard: whoever has something to
record does so and goes on, and two may do it at once. So the lock is optimistic. A writer reads the
stream, decides, and appends the *next version*; a version happens once in a stream, and whoever
comes second is told (`Conflict`), never written over.

Each kind of writer has a shard of its own (`DirectShard`), taken over for one append:

    read       is the version the next one?                              else the look below
    take over  the shard's epoch goes up; a rival's append is fenced
    append     the event and the head, or nothing
    look       what does the log hold at this version?
                 our very bytes    done, also when the answer of the append was lost
                 other bytes       a conflict
                 nothing           fenced: take over again, a bounded number of times
                                   else what the append said

So an answer that was lost is looked for, not guessed. Should the database be away for longer than
that, `Unavailable` is raised, and doing it all again is safe for everybody who looks first whether
what is to be recorded is there already.

The explainer's shard is the exception: one process follows the log there, as a worker follows its
partition, and keeps the shard until another one takes it over.
"""

from __future__ import annotations

import asyncio
from enum import Enum
from typing import Final

import stamina

from copilot_core.errors import Conflict, Defect, Fenced, Unavailable
from copilot_core.events import NewEvent, RecordedEvent
from copilot_eventlog.protocol import DIRECT_SHARDS, EventLog

NO_OFFSET: Final = -1
"""Their events come from no topic, and no offset is counted."""

TAKE_OVERS: Final = 8
PAUSE_S: Final = 0.02
"""First pause of a writer that was fenced; an append takes some milliseconds."""
GIVE_UP_S: Final = 5.0


class DirectShard(Enum):
    """Who writes without a message, and to which shard."""

    CONFIG = DIRECT_SHARDS
    """Changes of configuration."""
    EXPLAINER = DIRECT_SHARDS + 1
    """Explanations by rule, from the one process that follows the log."""
    EXPLANATIONS = DIRECT_SHARDS + 2
    """Explanations from workflows."""
    LEDGER = DIRECT_SHARDS + 3
    """What calls of models were allowed, and what they came to."""

    @property
    def source(self) -> str:
        """The source in the shard's head."""
        return f"direct/{self.name.lower()}"


class DirectWriter:
    """One process's door to a direct shard: it queues its own appends, so that only other
    processes can fence it.

    `writer` names the process in the shard's head.
    """

    def __init__(self, log: EventLog, shard: DirectShard, *, writer: str) -> None:
        self._log = log
        self._shard = shard
        self._writer = writer
        self._turn = asyncio.Lock()

    async def append(self, new: NewEvent) -> RecordedEvent:
        """Record an event as the next version of its stream; returns it as the log holds it.

        The same event appended twice is one event. Raises `Conflict` when the version is another
        event's, `Unavailable` when the log does not answer or other writers are never done,
        `Defect` for a version that skips one.
        """
        async with self._turn:
            newest = await self._log.read_stream(new.stream, limit=1, newest_first=True)
            following = newest[0].version + 1 if newest else 1
            if new.version != following:
                if found := await self._recorded(new):
                    return found
                raise Defect(f"{new.stream}: version {new.version}, the next one is {following}")
            return await self._append(new)

    async def _append(self, new: NewEvent) -> RecordedEvent:
        try:
            async for attempt in stamina.retry_context(
                on=Fenced,
                attempts=TAKE_OVERS,
                timeout=GIVE_UP_S,
                wait_initial=PAUSE_S,
                wait_max=0.5,
            ):
                with attempt:
                    return await self._append_once(new)
        except Fenced as e:
            raise Unavailable(
                f"{TAKE_OVERS} times another writer came in between",
                where=f"append to shard {self._shard.value}",
                todo="do it again when the others are done",
            ) from e
        raise AssertionError("retrying ends with a result or an error")

    async def _append_once(self, new: NewEvent) -> RecordedEvent:
        shard = self._shard
        try:
            head = await self._log.take_over(shard.value, writer=self._writer, source=shard.source)
            await self._log.append(head, [new], source_offset=NO_OFFSET)
        except (Conflict, Unavailable):
            if found := await self._recorded(new):
                return found
            raise
        found = await self._recorded(new)
        if found is None:
            raise Defect(f"{new.stream}#{new.version} was appended and is not there")
        return found

    async def _recorded(self, new: NewEvent) -> RecordedEvent | None:
        """The event if the log holds it, None when its version is free, else `Conflict`."""
        found = await self._log.read_stream(new.stream, after=new.version - 1, limit=1)
        if not found:
            return None
        if found[0].payload != new.payload:
            raise Conflict(
                f"version {new.version} was recorded at {found[0].recorded_at.format_iso()}",
                where=new.stream,
                todo="read the stream and decide again",
            )
        return found[0]
