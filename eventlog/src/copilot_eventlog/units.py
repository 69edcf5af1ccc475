"""Units of database work: one attempt, or as many as it takes.

Theory of operation. A unit is everything between taking a connection and giving it back. When it
fails in a passing way (`failures.passing`) the whole unit is done again, reads included: DSQL
aborts reads when the catalog changes. At most `ATTEMPTS` tries, each after a random pause of up to
`BASE_S · 2ⁿ` (full jitter: writers that collided do not collide again), and no new try once
`GIVE_UP_S` have passed. A connection that was lost is never given back to the pool alive.

A unit may have happened although it failed: the connection can go while COMMIT is on its way. So a
unit must be such that doing it again is harmless — it reads what it depends on, inside.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final, TypeVar

import asyncpg
import stamina

from copilot_eventlog.failures import DATABASE_ERRORS, passing, translate

ATTEMPTS: Final = 6
BASE_S: Final = 0.03
"""Longest first pause (AWS advises 20 to 50 ms); all pauses together stay below a second."""
GIVE_UP_S: Final = 5.0
"""No new try after this many seconds: by then time-outs, not collisions, are the trouble."""
ACQUIRE_S: Final = 10.0
"""Longest wait for a connection of the pool, free or new, and for giving one back."""

T = TypeVar("T")
Connection = asyncpg.pool.PoolConnectionProxy


class _FullJitter:
    """Decides for one unit whether to try again, and after how long."""

    def __init__(self) -> None:
        self._ceiling_s = BASE_S

    def __call__(self, error: Exception) -> bool | float:
        if not passing(error):
            return False
        pause_s = random.uniform(0.0, self._ceiling_s)
        self._ceiling_s *= 2
        return pause_s


@asynccontextmanager
async def connection(pool: asyncpg.Pool) -> AsyncGenerator[Connection]:
    """A connection of the pool, given back afterwards; a dead or doubtful one is ended instead.

    Raises asyncpg's own errors; a loss of the connection is always an `OSError` or of class 08.
    """
    async with asyncio.timeout(ACQUIRE_S):
        con = await pool.acquire()
    try:
        yield con
    except (asyncpg.InterfaceError, asyncpg.InternalClientError) as e:
        # Rolling back on a dead connection hides the loss behind an "is closed" of the client.
        if _is_dead(con):
            raise ConnectionResetError(str(e)) from e
        raise
    except (OSError, asyncpg.PostgresConnectionError, asyncio.CancelledError):
        # After a time-out or a cancellation asyncpg would wait for the server to confirm; a server
        # that is away never does.
        with suppress(asyncpg.InterfaceError):
            con.terminate()
        raise
    finally:
        await pool.release(con, timeout=ACQUIRE_S)


@asynccontextmanager
async def transaction(pool: asyncpg.Pool, *, where: str) -> AsyncGenerator[Connection]:
    """One transaction, tried once: committed at the end of the block, rolled back by any error.

    The statements inside are plain asyncpg. Raises our own errors; `where` names the work.
    """
    try:
        async with connection(pool) as con, con.transaction():
            yield con
    except DATABASE_ERRORS as e:
        raise translate(e, where=where) from e


async def run(pool: asyncpg.Pool, work: Callable[[Connection], Awaitable[T]], *, where: str) -> T:
    """Do `work` on a connection, again and again while it fails in a passing way.

    A single statement is a transaction by itself. Raises our own errors; `where` names the work.
    """
    try:
        async for attempt in stamina.retry_context(
            on=_FullJitter(), attempts=ATTEMPTS, timeout=GIVE_UP_S
        ):
            with attempt:
                async with connection(pool) as con:
                    return await work(con)
    except DATABASE_ERRORS as e:
        raise translate(e, where=where) from e
    raise AssertionError("retrying ends with a result or an error")


async def run_transaction(
    pool: asyncpg.Pool, work: Callable[[Connection], Awaitable[T]], *, where: str
) -> T:
    """Do `work` in one transaction, again and again while it fails in a passing way."""

    async def unit(con: Connection) -> T:
        async with con.transaction():
            return await work(con)

    return await run(pool, unit, where=where)


def _is_dead(con: Connection) -> bool:
    try:
        return con.is_closed()
    except asyncpg.InterfaceError:
        return True  # asyncpg took the closed connection out of our hands already
