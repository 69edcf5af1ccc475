"""The PostgreSQL server of the tests does what crash tests count on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import asyncpg
import pytest

if TYPE_CHECKING:
    from tests.infra.postgres import Postgres


async def test_kill_keeps_committed_rows_and_the_address(own_postgres: Postgres) -> None:
    """After `kill -9` of every process and a start, what was committed is there."""
    connection = await asyncpg.connect(own_postgres.dsn())
    await connection.execute("CREATE TABLE kept (n int)")
    await connection.execute("INSERT INTO kept VALUES (1), (2)")

    own_postgres.kill()
    with pytest.raises((OSError, asyncpg.PostgresError, asyncpg.InterfaceError)):
        await connection.fetchval("SELECT 1")
    await asyncio.to_thread(own_postgres.start)

    connection = await asyncpg.connect(own_postgres.dsn())
    assert await connection.fetchval("SELECT count(*) FROM kept") == 2
    await connection.close()


async def test_restart_keeps_rows(own_postgres: Postgres) -> None:
    """A clean restart keeps rows and address."""
    own_postgres.execute("CREATE TABLE kept (n int)")
    own_postgres.execute("INSERT INTO kept VALUES (7)")
    own_postgres.restart()
    assert own_postgres.execute("SELECT n FROM kept") == "7"


async def test_a_frozen_server_is_silent_on_open_connections(own_postgres: Postgres) -> None:
    """`pause` freezes sessions that are open already; `resume` lets the same session go on."""
    connection = await asyncpg.connect(own_postgres.dsn())
    own_postgres.pause()
    answer = asyncio.ensure_future(connection.fetchval("SELECT 1"))
    done, _ = await asyncio.wait([answer], timeout=1)
    assert not done
    own_postgres.resume()
    assert await asyncio.wait_for(answer, 30) == 1
    await connection.close()


async def test_each_test_has_a_database_of_its_own(postgres: Postgres, pg_dsn: str) -> None:
    """`pg_dsn` is empty, and what is made in it does not show in another database."""
    connection = await asyncpg.connect(pg_dsn)
    tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
    assert await connection.fetchval(tables) == 0
    await connection.execute("CREATE TABLE mine ()")
    await connection.close()

    other = postgres.create_database()
    try:
        assert postgres.execute(tables, database=other) == "0"
    finally:
        postgres.drop_database(other)


async def test_writes_are_durable(pg_dsn: str) -> None:
    """The server waits for the disk at every commit, as a database in production does."""
    connection = await asyncpg.connect(pg_dsn)
    assert await connection.fetchval("SHOW fsync") == "on"
    assert await connection.fetchval("SHOW synchronous_commit") == "on"
    await connection.close()
