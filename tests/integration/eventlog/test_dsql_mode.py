"""DSQL mode itself: what it refuses, how it fails, and that one gets through by retrying."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import asyncpg
import pytest

from copilot_core.errors import Unavailable
from copilot_eventlog.failures import sqlstate_of
from copilot_eventlog.postgres import PostgresLog
from copilot_eventlog.units import ATTEMPTS, Connection
from tests.integration.eventlog.contract import SOURCE, events
from tests.integration.eventlog.databases import dsql_log
from tests.integration.eventlog.dsql_mode import (
    AT_COMMIT,
    IN_A_ROW,
    MAX_ROWS,
    REFUSALS,
    Fault,
    Faults,
    refusal,
)

REFUSED = {
    "savepoint": "SAVEPOINT s",
    "LISTEN and NOTIFY": "LISTEN c",
    "advisory lock": "SELECT pg_advisory_xact_lock(1)",
    "LOCK TABLE": "LOCK TABLE es_head IN EXCLUSIVE MODE",
    "TRUNCATE": "TRUNCATE es_event",
    "MERGE": "MERGE INTO es_head USING es_event ON true WHEN MATCHED THEN DELETE",
    "COPY": "COPY es_event TO STDOUT",
    "VACUUM": "VACUUM es_event",
    "session reset": "CLOSE ALL",
    "temporary or unlogged table": "CREATE TEMP TABLE t (a int)",
    "array column": "CREATE TABLE t (a text[])",
    "serial column": "CREATE TABLE t (a bigserial)",
    "money column": "CREATE TABLE t (a money)",
    "foreign key": "CREATE TABLE t (a int REFERENCES es_head (shard))",
    "partition": "CREATE TABLE t (a int) PARTITION BY RANGE (a)",
    "inheritance": "CREATE TABLE t () INHERITS (es_head)",
    "added column with a default": "ALTER TABLE es_head ADD COLUMN a int DEFAULT 1",
    "index that is not built with ASYNC": "CREATE UNIQUE INDEX i ON es_event (pos)",
    "descending index key": "CREATE INDEX ASYNC i ON es_event (pos DESC)",
    "user-defined type": "CREATE TYPE mood AS ENUM ('a')",
    "trigger or rule": "CREATE TRIGGER t BEFORE INSERT ON es_event EXECUTE FUNCTION f()",
    "PL/pgSQL": "DO $$ BEGIN END $$",
    "extension": "CREATE EXTENSION pg_trgm",
    "materialized view": "CREATE MATERIALIZED VIEW v AS SELECT 1",
    "tablespace": "CREATE TABLE t (a int) TABLESPACE x",
    "sequence without CACHE": "CREATE SEQUENCE s",
    "isolation level": "BEGIN ISOLATION LEVEL READ COMMITTED",
}
"""One statement for each row of `REFUSALS`."""


def test_every_refusal_has_an_example() -> None:
    """The examples cover the table, and each is refused for its own reason."""
    assert {what: refusal(sql) for what, sql in REFUSED.items()} == {
        what: what for what, _ in REFUSALS
    }


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO t VALUES ('LISTEN, TRUNCATE and pg_advisory_lock')",
        "SELECT 1 -- CREATE TEMP TABLE",
        "CREATE INDEX ASYNC i ON t (a)",
        "CREATE TABLE t (document jsonb)",
        "BEGIN ISOLATION LEVEL REPEATABLE READ",
    ],
)
def test_what_dsql_takes_is_not_refused(sql: str) -> None:
    """Words in strings and comments, and what DSQL has, pass."""
    assert refusal(sql) is None


@pytest.fixture
async def log(log_dsn: str) -> AsyncGenerator[PostgresLog]:
    async with dsql_log(log_dsn) as log:
        yield log


async def refused(log: PostgresLog, *statements: str) -> str:
    """The SQLSTATE that the last of several statements in one transaction meets."""
    *before, last = statements
    async with log.pool.acquire() as con:
        transaction = con.transaction()
        await transaction.start()
        for statement in before:
            await con.execute(statement)
        with pytest.raises(asyncpg.PostgresError) as caught:
            await con.execute(last)
        await transaction.rollback()
        return sqlstate_of(caught.value)


async def test_transactions_of_ddl(log: PostgresLog) -> None:
    """Two DDL, or DDL beside DML, do not fit into one transaction."""
    table, other = "CREATE TABLE t (a int)", "CREATE TABLE u (a int)"
    insert = "INSERT INTO es_dead_letter VALUES ('a', '', '', '', '', now())"
    assert await refused(log, table, other) == "0A000"
    assert await refused(log, table, insert) == "0A000"
    assert await refused(log, insert, table) == "0A000"


async def test_nested_transactions(log: PostgresLog) -> None:
    """A transaction inside a transaction is a savepoint, and refused."""
    async with log.pool.acquire() as con, con.transaction():
        with pytest.raises(asyncpg.FeatureNotSupportedError):
            await con.transaction().start()


async def test_copy(log: PostgresLog) -> None:
    """COPY is refused through asyncpg's own methods too."""
    async with log.pool.acquire() as con:
        with pytest.raises(asyncpg.FeatureNotSupportedError):
            await con.copy_records_to_table("es_checkpoint", records=[])


async def test_too_many_rows(log: PostgresLog) -> None:
    """More than 3,000 changed rows in one transaction are refused, however they come."""
    many = (
        "INSERT INTO es_dead_letter SELECT {0}::text || n::text, '', '', '', '', now()"
        " FROM generate_series(1, {1}) AS n"
    )
    assert await refused(log, many.format(1, MAX_ROWS + 1)) == "54000"
    assert await refused(log, many.format(1, MAX_ROWS), many.format(2, 1)) == "54000"


async def test_a_changed_catalog_hits_other_sessions_once(log: PostgresLog) -> None:
    """After a DDL every other connection's next statement, even a read, gets OC001, then works."""
    async with log.pool.acquire() as one, log.pool.acquire() as other:
        await other.fetchval("SELECT 1")
        await one.execute("CREATE TABLE t_changed (a int)")
        with pytest.raises(asyncpg.PostgresError) as caught:
            await other.fetchval("SELECT 1")
        assert sqlstate_of(caught.value) == "OC001"
        assert await other.fetchval("SELECT 1") == 1
        await one.execute("DROP TABLE t_changed")


@pytest.mark.parametrize("fault", list(Fault))
async def test_each_fault_is_survived(log_dsn: str, fault: Fault) -> None:
    """An append that meets a fault is made exactly once, and answers as if nothing had happened."""
    faults = Faults()
    async with dsql_log(log_dsn, faults) as log:
        head = await log.take_over(0, writer="w", source=SOURCE)
        faults.script([fault])
        moved = await log.append(head, events(1, 3), source_offset=3)
        assert faults.struck == {fault: 1}
        assert await log.head(0) == moved
        assert len(await log.read(0)) == 3


async def test_what_happened_at_commit(log_dsn: str) -> None:
    """Only a connection lost after COMMIT leaves the transaction done; all others undo it."""
    faults = Faults()
    async with dsql_log(log_dsn, faults) as log:
        for nth, fault in enumerate(AT_COMMIT):
            faults.script([fault])
            async with log.pool.acquire() as con:
                with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):
                    await con.execute(
                        "INSERT INTO es_checkpoint VALUES ('r', $1, 0, 0, '', now())", str(nth)
                    )
        rows = await log.pool.fetch("SELECT build FROM es_checkpoint")
        assert [AT_COMMIT[int(row["build"])] for row in rows] == [Fault.LOST_AFTER_COMMIT]


async def test_endless_conflicts_end_in_unavailable(log_dsn: str) -> None:
    """When every try conflicts, a unit is tried six times and then says so."""
    faults = Faults()
    async with dsql_log(log_dsn, faults) as log:
        faults.script([Fault.ROW_CONFLICT] * 20)
        with pytest.raises(Unavailable, match="OC000"):
            await log.take_over(0, writer="w", source=SOURCE)
        assert faults.struck[Fault.ROW_CONFLICT] == ATTEMPTS


async def test_a_view_transaction_is_done_once(log_dsn: str) -> None:
    """Rows and checkpoint written through `transact` survive every fault together, exactly once."""
    faults = Faults(seed=11, rate=0.4)
    async with dsql_log(log_dsn, faults) as log:
        for position in range(30):

            async def step(con: Connection, position: int = position) -> None:
                done = await con.fetchval("SELECT max(pos) FROM es_checkpoint WHERE reader = 'v'")
                if done is None or done < position:
                    await con.execute(
                        "INSERT INTO es_dead_letter VALUES ($1, '', '', '', '', now())",
                        f"row {position}",
                    )
                    await con.execute(
                        "INSERT INTO es_checkpoint VALUES ('v', '1', 0, $1, '', now())"
                        " ON CONFLICT (reader, build, shard) DO UPDATE SET pos = excluded.pos",
                        position,
                    )

            await log.transact(step, where="view v")
        assert faults.struck[Fault.LOST_AFTER_COMMIT] > 0
        letters = await log.dead_letters()
        assert {letter.id for letter in letters} == {f"row {n}" for n in range(30)}


def test_a_schedule_is_deterministic() -> None:
    """The same seed gives the same faults, and never too many in a row."""
    first, second = Faults(seed=3, rate=0.9), Faults(seed=3, rate=0.9)
    drawn = [first.next(AT_COMMIT) for _ in range(50)]
    assert drawn == [second.next(AT_COMMIT) for _ in range(50)]
    assert sum(fault is not None for fault in drawn) == IN_A_ROW
