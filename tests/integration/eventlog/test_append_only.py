"""The log is append-only: proved on the statements, and on the rows of a busy database."""

from __future__ import annotations

import asyncio
import re
from importlib.resources import files
from pathlib import Path

import pytest

from copilot_core.errors import Conflict
from copilot_eventlog.protocol import EventLog
from tests.infra.postgres import Postgres
from tests.integration.eventlog.contract import SOURCE, event, events
from tests.integration.eventlog.databases import postgres_log
from tests.integration.eventlog.dsql_mode import normal

REPO = Path(__file__).resolve().parents[3]
CHANGES_EVENTS = re.compile(
    r"\b(UPDATE|DELETE FROM|TRUNCATE|DROP TABLE|ALTER TABLE|MERGE INTO)( IF EXISTS| ONLY| TABLE)*"
    r' "?ES_EVENT\b'
)


def test_no_statement_changes_an_event() -> None:
    """No SQL file, and no text in the source of any part, updates or deletes rows of es_event."""
    sql = sorted(Path(str(files("copilot_eventlog") / "sql")).rglob("*.sql"))
    sources = sorted(REPO.glob("*/src/**/*.py"))
    assert len(sql) > 20
    assert len(sources) > 20
    offenders = [
        path.relative_to(REPO).as_posix()
        for path in (*sql, *sources)
        if CHANGES_EVENTS.search(normal(path.read_text("utf-8")))
    ]
    assert offenders == []


def test_the_scan_would_find_one() -> None:
    """The scan sees the statements it looks for."""
    for statement in (
        "update es_event set type = ''",
        "DELETE FROM es_event",
        "TRUNCATE TABLE es_event",
        "ALTER TABLE IF EXISTS es_event ADD x int",
    ):
        assert CHANGES_EVENTS.search(normal(statement))


SEEN = "SELECT shard, pos, xmin::text, ctid::text, md5(es_event::text) AS hash FROM es_event"


async def test_rows_stay_as_they_were_inserted(log_dsn: str) -> None:
    """Through take-overs, fencing, repeats, conflicts, snapshots, no row is written a second time.

    `xmin` is the transaction that wrote a row's version and `ctid` where it lies; both change when
    a row is updated, even to the same values.
    """
    async with postgres_log(log_dsn) as log, postgres_log(log_dsn) as rival:
        head = await log.take_over(0, writer="w", source=SOURCE)
        head = await log.append(head, events(1, 50), source_offset=50)
        before = {(r["shard"], r["pos"]): tuple(r) for r in await log.pool.fetch(SEEN)}
        await asyncio.gather(busy(log, "w1"), busy(rival, "w2"))
        after = {(r["shard"], r["pos"]): tuple(r) for r in await log.pool.fetch(SEEN)}
        assert len(before) == 50
        assert len(after) > len(before)
        assert {place: after[place] for place in before} == before


async def busy(log: EventLog, name: str) -> None:
    """What a writer can do to a shard that has events already, and everything beside it."""
    for n in range(10):
        head = await log.take_over(0, writer=name, source=f"{SOURCE}/{n}")
        newest = await log.read_stream("health/a", limit=1, newest_first=True)
        batch = [event(newest[0].version + 1)]
        for attempt in (batch, batch, [event(1)]):
            try:
                head = await log.append(head, attempt, source_offset=n)
            except Conflict:
                continue


async def test_a_role_without_update_and_delete_is_enough(
    log_dsn: str, postgres: Postgres, module_database: str
) -> None:
    """The log works for a role that may only insert into and read es_event."""
    async with postgres_log(log_dsn):
        pass
    for grant in (
        "DROP ROLE IF EXISTS copilot_writer",
        "CREATE ROLE copilot_writer LOGIN",
        "GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO copilot_writer",
        "REVOKE UPDATE ON es_event FROM copilot_writer",
    ):
        postgres.execute(grant, database=module_database)
    try:
        async with postgres_log(log_dsn.replace("postgres@", "copilot_writer@")) as log:
            head = await log.take_over(0, writer="w", source=SOURCE)
            moved = await log.append(head, events(1, 3), source_offset=3)
            assert await log.append(head, events(1, 3), source_offset=3) == moved
            with pytest.raises(Conflict):
                await log.append(moved, [event(1)], source_offset=3)
            assert len(await log.read(0)) == 3
    finally:
        postgres.execute("DROP OWNED BY copilot_writer", database=module_database)
        postgres.execute("DROP ROLE copilot_writer", database=module_database)
