"""The tables of the log: making them, and telling whether they are as the files say.

Theory of operation. `sql/schema/*.sql` is the only description. A file is one DDL, written one
column a line, so that `expected` can read names, types, keys from the same text that the database
gets; `check` compares that with the catalog. `apply` may run any number of times, at once from
several processes: it makes what is missing, each object in its own transaction (DSQL takes one DDL
per transaction), waits for indexes that are built in the background, and never alters or drops.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import asyncpg

from copilot_core.errors import Unavailable
from copilot_eventlog import units
from copilot_eventlog.statements import Dialect, render, schema_files, statement

INDEX_POLL_S: Final = 0.5
INDEX_POLLS: Final = 120
"""One minute is the longest wait for an index; on an empty table DSQL builds one in seconds."""

_COLUMN: Final = re.compile(r"^    (\w+) (\w+)( NOT NULL)?,?$", re.MULTILINE)
_CATALOG_NAMES: Final = {"timestamptz": "timestamp with time zone"}
"""Types that the catalog spells differently."""
_KEY: Final = re.compile(r"PRIMARY KEY \(([\w, ]+)\)")
_INDEX: Final = re.compile(r"CREATE UNIQUE INDEX ASYNC IF NOT EXISTS \w+ ON (\w+) \(([\w, ]+)\)")


class ObjectState(StrEnum):
    """How an object of the schema compares with its file."""

    PRESENT = "present"
    MISSING = "missing"
    DIFFERENT = "different"
    BUILDING = "building"
    """An index that the database is still filling."""


@dataclass(frozen=True, slots=True)
class ObjectReport:
    """One table or index: how it is, and what differs (empty unless `DIFFERENT`)."""

    name: str
    state: ObjectState
    differences: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shape:
    """What a table or index is made of: column to type (with ` NOT NULL`), and its key in order.

    An index has no columns of its own; `table` is what it belongs to.
    """

    table: str
    columns: dict[str, str]
    key: tuple[str, ...]


def expected() -> dict[str, Shape]:
    """The shape of every object, read from the schema files."""
    shapes: dict[str, Shape] = {}
    for name, ddl in schema_files().items():
        index = _INDEX.search(ddl)
        if index:
            shapes[name] = Shape(index[1], {}, tuple(index[2].split(", ")))
        else:
            columns = {
                column: _CATALOG_NAMES.get(type_, type_) + (null or "")
                for column, type_, null in _COLUMN.findall(ddl)
            }
            key = _KEY.search(ddl)
            shapes[name] = Shape(name, columns, tuple(key[1].split(", ")) if key else ())
    return shapes


async def apply(pool: asyncpg.Pool, dialect: Dialect) -> list[ObjectReport]:
    """Make what is missing, wait for its indexes, and report how everything is then.

    Raises `Unavailable` when the database is away or an index is not built within a minute.
    """
    for report in await check(pool):
        if report.state is ObjectState.MISSING:
            ddl = render(schema_files()[report.name], dialect)
            await _create(pool, ddl, where=f"create {report.name}")
    for _ in range(INDEX_POLLS):
        reports = await check(pool)
        if not any(report.state is ObjectState.BUILDING for report in reports):
            return reports
        await asyncio.sleep(INDEX_POLL_S)
    raise Unavailable(
        f"an index was not built within {INDEX_POLLS * INDEX_POLL_S:.0f} s",
        where="schema",
        todo="look at sys.jobs on DSQL, then run copilot db check",
    )


async def check(pool: asyncpg.Pool) -> list[ObjectReport]:
    """How every table and index of the log compares with its file, in the order of the files."""

    async def unit(con: units.Connection) -> tuple[list[asyncpg.Record], list[asyncpg.Record]]:
        names = list(schema_files())
        return (
            await con.fetch(statement("catalog_columns"), names),
            await con.fetch(statement("catalog_keys"), names),
        )

    columns, keys = await units.run(pool, unit, where="catalog")
    return [_compare(name, shape, columns, keys) for name, shape in expected().items()]


def _compare(
    name: str, shape: Shape, columns: list[asyncpg.Record], keys: list[asyncpg.Record]
) -> ObjectReport:
    found = {
        row["column_name"]: row["type"] + (" NOT NULL" if row["required"] else "")
        for row in columns
        if row["table_name"] == name
    }
    key = next((row for row in keys if row["name"] == name), None)
    if not found and key is None:
        return ObjectReport(name, ObjectState.MISSING)
    differences = [
        f"{column}: {found.get(column, 'absent')}, should be {shape.columns.get(column, 'absent')}"
        for column in {**shape.columns, **found}
        if found.get(column) != shape.columns.get(column)
    ]
    has = tuple(key["columns"].split(",")) if key else ()
    if has != shape.key:
        differences.append(f"key: ({', '.join(has)}), should be ({', '.join(shape.key)})")
    if key and not key["is_unique"]:
        differences.append("key: not unique")
    if differences:
        return ObjectReport(name, ObjectState.DIFFERENT, tuple(differences))
    building = key is not None and not key["is_valid"]
    return ObjectReport(name, ObjectState.BUILDING if building else ObjectState.PRESENT)


async def _create(pool: asyncpg.Pool, ddl: str, *, where: str) -> None:
    async def unit(con: units.Connection) -> None:
        # Another process may make it between our look and our statement.
        with suppress(
            asyncpg.DuplicateTableError,
            asyncpg.DuplicateObjectError,
            asyncpg.UniqueViolationError,
        ):
            await con.execute(ddl)

    await units.run(pool, unit, where=where)
