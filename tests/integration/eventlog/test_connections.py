"""Connections: how old they get, what is sent when they come back, and a database that is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import asyncpg
import pytest

from copilot_core.errors import Defect, Rejected, Unavailable
from copilot_eventlog.connect import JITTER, open_pool
from copilot_eventlog.postgres import PostgresLog, open_log
from copilot_eventlog.settings import EventLogSettings
from copilot_eventlog.units import Connection
from tests.infra.postgres import Postgres
from tests.integration.eventlog.contract import SOURCE, as_new, events
from tests.integration.eventlog.databases import postgres_log

BOUND_S = 60.0
"""No test here may hang; far above what any of them needs."""


@pytest.fixture
async def impatient_log(own_postgres: Postgres) -> AsyncGenerator[PostgresLog]:
    """A log on a server of its own that waits one second for connections and answers."""
    async with postgres_log(
        own_postgres.dsn(), log_connect_timeout_s=1.0, log_command_timeout_s=1.0
    ) as log:
        yield log


class Clock:
    """Monotonic seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


async def test_a_connection_ends_at_its_age(pg_dsn: str) -> None:
    """A connection is used again until its lifetime is over, and replaced before the next unit."""
    clock = Clock()
    settings = EventLogSettings.model_validate(
        {"log_dsn": pg_dsn, "log_pool_size": 1, "log_connection_lifetime_s": 100.0}
    )
    pool = await open_pool(settings, clock=clock)
    pids = []
    for now_s in (0.0, 50.0, 100.0 * (1 - JITTER) - 1, 100.0, 100.0):
        clock.now_s = now_s
        pids.append(await pool.fetchval("SELECT pg_backend_pid()"))
    assert len(set(pids[:4])) == 1, "kept while it is young; at 100 s it is ended when given back"
    assert pids[4] != pids[3]
    pool.terminate()


class Overheard(asyncpg.Connection):
    """Notes every statement that asyncpg sends without arguments, its own ones included."""

    heard: list[str] = []  # noqa: RUF012 - one list for the one test below

    async def execute(
        self,
        query: str,
        *args: object,
        timeout: float | None = None,  # noqa: ASYNC109 - asyncpg's signature
    ) -> str:
        self.heard.append(query)
        return await super().execute(query, *args, timeout=timeout)


async def test_giving_back_sends_nothing(pg_dsn: str) -> None:
    """No statement of asyncpg's own reset, which DSQL would refuse, is sent between units."""
    settings = EventLogSettings.model_validate({"log_dsn": pg_dsn})
    pool = await open_pool(settings, connection_class=Overheard)
    async with pool.acquire() as con:
        await con.fetchval("SELECT 1")
    async with pool.acquire() as con, con.transaction():
        await con.fetchval("SELECT 1")
    assert Overheard.heard == ["BEGIN;", "COMMIT;"]
    pool.terminate()


async def test_transactions_are_repeatable_read(log_dsn: str) -> None:
    """PostgreSQL isolates as DSQL does, without anybody asking for it."""
    async with postgres_log(log_dsn) as log, log.transaction(where="test") as con:
        assert await con.fetchval("SHOW transaction_isolation") == "repeatable read"


async def test_a_killed_backend_goes_unnoticed(log_dsn: str) -> None:
    """An append whose connection the server ended beforehand is made all the same, once."""
    async with postgres_log(log_dsn) as log, postgres_log(log_dsn) as admin:
        head = await log.take_over(0, writer="w", source=SOURCE)
        for n in range(5):
            await admin.pool.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            head = await log.append(head, events(n + 1, n + 1), source_offset=n)
        assert as_new(await log.read(0)) == events(1, 5)


async def test_a_table_altered_under_a_statement(pg_dsn: str) -> None:
    """A unit whose prepared statement an ALTER TABLE made void is done again, and sees it."""
    async with postgres_log(pg_dsn, log_pool_size=1) as log, postgres_log(pg_dsn) as admin:
        await admin.pool.execute("CREATE TABLE view_x (a int)")

        async def columns(con: Connection) -> list[str]:
            await con.execute("INSERT INTO view_x (a) VALUES ($1)", 1)
            return list((await con.fetch("SELECT * FROM view_x"))[0].keys())

        assert await log.transact(columns, where="test") == ["a"]
        await admin.pool.execute("ALTER TABLE view_x ADD COLUMN b int")
        assert await log.transact(columns, where="test") == ["a", "b"]
        assert await admin.pool.fetchval("SELECT count(*) FROM view_x") == 2


async def test_a_frozen_database(impatient_log: PostgresLog, own_postgres: Postgres) -> None:
    """A database that does not answer ends in Unavailable, and when it is back work goes on.

    The append under way when it froze may have happened: repeating it makes it once.
    """
    log = impatient_log
    head = await log.take_over(0, writer="w", source=SOURCE)
    own_postgres.pause()
    try:
        async with asyncio.timeout(BOUND_S):
            with pytest.raises(Unavailable):
                await log.append(head, events(1, 3), source_offset=3)
            with pytest.raises(Unavailable):
                await log.read(0)
    finally:
        own_postgres.resume()
    moved = await log.append(head, events(1, 3), source_offset=3)
    assert moved == await log.head(0)
    assert as_new(await log.read(0)) == events(1, 3)


async def test_a_database_that_is_gone(impatient_log: PostgresLog, own_postgres: Postgres) -> None:
    """A killed server ends in Unavailable, and what was answered before is there afterwards."""
    log = impatient_log
    head = await log.take_over(0, writer="w", source=SOURCE)
    head = await log.append(head, events(1, 2), source_offset=2)
    own_postgres.kill()
    async with asyncio.timeout(BOUND_S):
        with pytest.raises(Unavailable):
            await log.append(head, events(3, 4), source_offset=4)
    own_postgres.start()
    head = await log.append(head, events(3, 4), source_offset=4)
    assert as_new(await log.read(0)) == events(1, 4)


async def test_the_server_dies_under_appends(own_postgres: Postgres) -> None:
    """Killing and restarting the server under a writer loses and doubles nothing it was told."""
    async with postgres_log(own_postgres.dsn()) as log:
        head = await log.take_over(0, writer="w", source=SOURCE)

        async def keep_killing() -> None:
            for _ in range(3):
                await asyncio.sleep(0.2)
                await asyncio.to_thread(own_postgres.kill)
                await asyncio.to_thread(own_postgres.start)

        killing = asyncio.create_task(keep_killing())
        version = 0
        async with asyncio.timeout(BOUND_S):
            while not killing.done() or version < 50:
                try:
                    head = await log.append(
                        head, events(version + 1, version + 5), source_offset=version
                    )
                except Unavailable:
                    continue  # the very same append again, as a worker does
                version += 5
            await killing
        assert [e.version async for e in _all(log)] == list(range(1, version + 1))


async def _all(log: PostgresLog) -> AsyncGenerator:
    after = -1
    while page := await log.read(0, after=after):
        for event in page:
            yield event
        after = page[-1].position


async def test_opening_does_not_need_the_database() -> None:
    """A log can be opened while the database is away; its first use says that it is."""
    log = await open_log(
        EventLogSettings.model_validate(
            {"log_dsn": "postgresql://postgres@127.0.0.1:1/none", "log_connect_timeout_s": 1.0}
        )
    )
    with pytest.raises(Unavailable, match="head 0"):
        await log.head(0)
    await log.close()


async def test_wrong_addresses_are_told_apart(postgres: Postgres) -> None:
    """A database that does not exist is the input's fault; missing tables name the command."""
    absent = await open_log(
        EventLogSettings.model_validate({"log_dsn": postgres.dsn("no_such_database")})
    )
    with pytest.raises(Rejected, match="does not exist"):
        await absent.head(0)
    await absent.close()
    empty = await open_log(EventLogSettings.model_validate({"log_dsn": postgres.dsn()}))
    with pytest.raises(Defect, match="copilot db apply"):
        await empty.head(0)
    await empty.close()


async def test_closing_waits_for_nobody_for_ever(log_dsn: str) -> None:
    """Closing a log ends its connections; using it afterwards is a defect."""
    async with postgres_log(log_dsn) as log:
        await log.head(0)
        async with asyncio.timeout(BOUND_S):
            await log.close()
        with pytest.raises(Defect):
            await log.head(0)
