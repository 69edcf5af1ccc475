"""The log in PostgreSQL or Aurora DSQL.

Theory of operation. An append is one statement and one round trip: it moves the head where shard,
epoch and next position are still those of the writer, and inserts the events only where the head
was moved. So it reports as many rows as there are events, or none. None means one of three things,
which `batch.settle` tells apart after re-reading the head: our own earlier append whose answer was
lost (done), another epoch (fenced), or a defect. That makes every append safe to repeat, so the
retries of `units.run` need no further care: a connection lost before, at or after COMMIT, a
conflict and a time-out all end in the same question to the same row.

Should a cluster refuse a writing CTE, the two halves run as one transaction instead.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import TypeVar

import asyncpg
import structlog
from whenever import Instant

from copilot_core.events import NewEvent, RecordedEvent
from copilot_eventlog import units
from copilot_eventlog.batch import MAX_BODY_BYTES, check_batch, settle
from copilot_eventlog.connect import open_pool
from copilot_eventlog.failures import Unsupported
from copilot_eventlog.protocol import Checkpoint, DeadLetter, Head, Snapshot
from copilot_eventlog.rows import columns_of, head_of, letter_of, recorded_of, snapshot_of
from copilot_eventlog.settings import EventLogSettings
from copilot_eventlog.statements import statement

logger = structlog.get_logger()
T = TypeVar("T")


async def open_log(settings: EventLogSettings) -> PostgresLog:
    """The log that the settings name. Connects with its first use, not here."""
    return PostgresLog(await open_pool(settings))


class PostgresLog:
    """An `EventLog` in a database. See the protocol for what each method promises and raises.

    `pool` is open to those who keep their own tables beside the log (read models); they do their
    work through `transact`, so that errors and retries are the same everywhere.
    """

    def __init__(self, pool: asyncpg.Pool) -> None:
        self.pool = pool
        self._writing_cte = True

    async def take_over(self, shard: int, *, writer: str, source: str) -> Head:
        """See `EventLog.take_over`. A lost answer costs an epoch, nothing else."""
        rows = await self._rows("take_over", shard, writer, source)
        return head_of(rows[0])

    async def head(self, shard: int) -> Head | None:
        """See `EventLog.head`."""
        rows = await self._rows("head", shard)
        return head_of(rows[0]) if rows else None

    async def append(
        self, head: Head, events: Sequence[NewEvent], *, source_offset: int, carry: bytes = b""
    ) -> Head:
        """See `EventLog.append`. One statement, one round trip."""
        check_batch(events, carry)
        receipt = (
            head.shard, head.epoch, head.next_position, len(events), source_offset, carry
        )  # fmt: skip
        if await self._write(receipt, events):
            return replace(
                head,
                next_position=head.next_position + len(events),
                source_offset=source_offset,
                carry=carry,
            )
        now = await self.head(head.shard)
        recorded = await self.read(head.shard, after=head.next_position - 1, limit=len(events))
        return settle(head, now, events, recorded)

    async def read(self, shard: int, *, after: int = -1, limit: int = 1000) -> list[RecordedEvent]:
        """See `EventLog.read`."""
        return recorded_of(await self._rows("read", shard, after, limit))

    async def read_stream(
        self, stream: str, *, after: int = 0, limit: int = 1000, newest_first: bool = False
    ) -> list[RecordedEvent]:
        """See `EventLog.read_stream`."""
        name = "read_stream_newest_first" if newest_first else "read_stream"
        return recorded_of(await self._rows(name, stream, after, limit))

    async def shards(self) -> list[int]:
        """See `EventLog.shards`."""
        return [row["shard"] for row in await self._rows("shards")]

    async def save_snapshot(self, snapshot: Snapshot) -> None:
        """See `EventLog.save_snapshot`."""
        at = snapshot.occurred_at.to_stdlib()
        await self._rows("save_snapshot", snapshot.stream, snapshot.version, at, snapshot.payload)

    async def latest_snapshot(
        self, stream: str, *, at_or_before: Instant | None = None
    ) -> Snapshot | None:
        """See `EventLog.latest_snapshot`."""
        at = None if at_or_before is None else at_or_before.to_stdlib()
        rows = await self._rows("latest_snapshot", stream, at)
        return snapshot_of(rows[0]) if rows else None

    async def load_checkpoint(self, reader: str, build: str, shard: int) -> Checkpoint:
        """See `EventLog.load_checkpoint`."""
        rows = await self._rows("load_checkpoint", reader, build, shard)
        return Checkpoint(reader, build, shard, rows[0]["pos"] if rows else -1)

    async def save_checkpoint(self, checkpoint: Checkpoint) -> None:
        """See `EventLog.save_checkpoint`."""
        c = checkpoint
        await self._rows("save_checkpoint", c.reader, c.build, c.shard, c.position)

    async def bury(self, letter: DeadLetter) -> None:
        """See `EventLog.bury`."""
        body = letter.body[:MAX_BODY_BYTES]
        at = letter.at.to_stdlib()
        await self._rows("bury", letter.id, letter.source, letter.code, letter.reason, body, at)

    async def dead_letters(self, *, after_id: str = "", limit: int = 100) -> list[DeadLetter]:
        """See `EventLog.dead_letters`."""
        return [letter_of(row) for row in await self._rows("dead_letters", after_id, limit)]

    async def mark_redriven(self, letter_id: str, at: Instant) -> None:
        """See `EventLog.mark_redriven`."""
        await self._rows("mark_redriven", letter_id, at.to_stdlib())

    async def close(self) -> None:
        """See `EventLog.close`. Waits for units under way, at most as long as one may take."""
        try:
            async with asyncio.timeout(units.ACQUIRE_S):
                await self.pool.close()
        except TimeoutError:
            self.pool.terminate()

    async def transact(self, work: Callable[[units.Connection], Awaitable[T]], *, where: str) -> T:
        """Do `work` in one transaction, again while it fails in a passing way; returns its result.

        `work` gets a plain asyncpg connection. It may run several times, also after it was
        committed and only the answer was lost: it has to read what it depends on (its checkpoint)
        inside. Raises our own errors; `where` names the work in them.
        """
        return await units.run_transaction(self.pool, work, where=where)

    def transaction(self, *, where: str) -> AbstractAsyncContextManager[units.Connection]:
        """One transaction, tried once, with errors translated: for a caller that retries itself."""
        return units.transaction(self.pool, where=where)

    async def _rows(self, name: str, *args: object) -> list[asyncpg.Record]:
        async def unit(con: units.Connection) -> list[asyncpg.Record]:
            return await con.fetch(statement(name), *args)

        return await units.run(self.pool, unit, where=f"{name} {args[0] if args else ''}".strip())

    async def _write(self, receipt: tuple[object, ...], events: Sequence[NewEvent]) -> bool:
        """Move the head and insert the events; False when the head was not ours to move."""
        where = f"append to shard {receipt[0]}"
        columns = columns_of(events) if events else ()

        async def in_one(con: units.Connection) -> bool:
            return await con.execute(statement("append"), *receipt, *columns) != "INSERT 0 0"

        async def in_two(con: units.Connection) -> bool:
            if await con.execute(statement("move_head"), *receipt) == "UPDATE 0":
                return False
            if events:
                await con.execute(statement("insert_events"), receipt[0], receipt[2], *columns)
            return True

        if self._writing_cte and events:
            try:
                return await units.run(self.pool, in_one, where=where)
            except Unsupported as e:
                logger.warning("writing CTE refused; appending in two statements", error=str(e))
                self._writing_cte = False
        return await units.run_transaction(self.pool, in_two, where=where)
