"""Making the tables, and telling whether they are as the files say."""

from __future__ import annotations

import asyncio

import pytest

from copilot_eventlog import schema
from copilot_eventlog.connect import open_pool
from copilot_eventlog.schema import ObjectState
from copilot_eventlog.settings import EventLogSettings
from copilot_eventlog.statements import Dialect
from tests.integration.eventlog.dsql_mode import Faults, connection_class


async def test_apply_makes_what_is_missing(pg_dsn: str) -> None:
    """On an empty database everything is missing, then present; applying again changes nothing."""
    pool = await open_pool(EventLogSettings.model_validate({"log_dsn": pg_dsn}))
    before = await schema.check(pool)
    assert {report.state for report in before} == {ObjectState.MISSING}
    for _ in range(2):
        reports = await schema.apply(pool, Dialect.POSTGRES)
        assert [report.name for report in reports] == list(schema.expected())
        assert {report.state for report in reports} == {ObjectState.PRESENT}
    pool.terminate()


async def test_apply_from_several_processes_at_once(pg_dsn: str) -> None:
    """Several processes that start together may all apply."""
    pool = await open_pool(EventLogSettings.model_validate({"log_dsn": pg_dsn}))
    everyone = await asyncio.gather(*(schema.apply(pool, Dialect.POSTGRES) for _ in range(4)))
    assert all(report.state is ObjectState.PRESENT for report in everyone[-1])
    assert {report.state for report in await schema.check(pool)} == {ObjectState.PRESENT}
    pool.terminate()


async def test_apply_in_dsql_mode(pg_dsn: str) -> None:
    """DSQL's refusals and its catalog conflicts do not hinder making the tables."""
    pool = await open_pool(
        EventLogSettings.model_validate({"log_dsn": pg_dsn}),
        connection_class=connection_class(Faults(seed=1, rate=0.2)),
    )
    reports = await schema.apply(pool, Dialect.DSQL)
    assert {report.state for report in reports} == {ObjectState.PRESENT}
    pool.terminate()


CHANGES = {
    "a missing column": ("ALTER TABLE es_head DROP COLUMN carry", "es_head", "carry"),
    "another type": ("ALTER TABLE es_event ALTER payload TYPE varchar", "es_event", "payload"),
    "a nullable column": ("ALTER TABLE es_head ALTER source DROP NOT NULL", "es_head", "source"),
    "a column more": ("ALTER TABLE es_snapshot ADD extra int", "es_snapshot", "extra"),
    "no primary key": (
        "ALTER TABLE es_dead_letter DROP CONSTRAINT es_dead_letter_pkey", "es_dead_letter", "key",
    ),
    "another index": (
        "DROP INDEX es_event_stream; CREATE INDEX es_event_stream ON es_event (version)",
        "es_event_stream", "key",
    ),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
async def test_check_names_what_differs(pg_dsn: str, change: str) -> None:
    """What is not as its file says is reported with the detail; apply leaves it alone."""
    sql, name, detail = CHANGES[change]
    pool = await open_pool(EventLogSettings.model_validate({"log_dsn": pg_dsn}))
    await schema.apply(pool, Dialect.POSTGRES)
    await pool.execute(sql)
    reports = {report.name: report for report in await schema.apply(pool, Dialect.POSTGRES)}
    assert reports.pop(name).state is ObjectState.DIFFERENT
    assert {report.state for report in reports.values()} == {ObjectState.PRESENT}
    differences = {report.name: report.differences for report in await schema.check(pool)}[name]
    assert any(detail in difference for difference in differences)
    pool.terminate()


async def test_an_index_under_way_is_building(pg_dsn: str) -> None:
    """An index that is not valid yet is reported as being built."""
    pool = await open_pool(EventLogSettings.model_validate({"log_dsn": pg_dsn}))
    await schema.apply(pool, Dialect.POSTGRES)
    await pool.execute(
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'es_event_stream'::regclass"
    )
    states = {report.name: report.state for report in await schema.check(pool)}
    assert states["es_event_stream"] is ObjectState.BUILDING
    pool.terminate()
