"""The SQL files: what they are called, where they lie, how the two dialects of DDL differ.

Every statement is a file under `sql/`, its bind list in the comment on top. The files are written
for Aurora DSQL, the stricter of the two; one rule turns them into PostgreSQL (`render`).
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Final

_SQL: Final = files("copilot_eventlog") / "sql"


class Dialect(StrEnum):
    """Which database speaks: they differ in one word of DDL and in how one logs in."""

    POSTGRES = "postgres"
    DSQL = "dsql"


@cache
def statement(name: str) -> str:
    """The text of `sql/statements/<name>.sql`."""
    return (_SQL / "statements" / f"{name}.sql").read_text("utf-8")


@cache
def schema_files() -> dict[str, str]:
    """Object name to its DDL, in the order in which the objects are made; one DDL per file."""
    names = sorted(
        entry.name for entry in (_SQL / "schema").iterdir() if entry.name.endswith(".sql")
    )
    return {
        name.removesuffix(".sql").partition("_")[2]: (_SQL / "schema" / name).read_text("utf-8")
        for name in names
    }


def render(ddl: str, dialect: Dialect) -> str:
    """A schema file in the words of a dialect: only DSQL builds indexes with `ASYNC`."""
    return ddl if dialect is Dialect.DSQL else ddl.replace(" INDEX ASYNC ", " INDEX ")
