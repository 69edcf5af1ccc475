"""The SQL of the views: every file is in use, fits its table, and is fit for Aurora DSQL."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

from copilot_projections.shape import Table, View
from copilot_projections.views import VIEWS

SQL = Path(str(files("copilot_projections") / "sql"))
SOURCES = "".join(p.read_text() for p in SQL.parent.rglob("*.py"))
TABLES = [(view, table) for view in VIEWS.values() for table in view.tables]


def text(view: View, name: str) -> str:
    """A statement without its comments."""
    lines = (SQL / view.name / f"{name}.sql").read_text().splitlines()
    return " ".join(" ".join(line for line in lines if not line.startswith("--")).split())


@pytest.mark.parametrize(("view", "table"), TABLES, ids=[t.name for _, t in TABLES])
def test_table_has_the_columns_of_its_row(view: View, table: Table) -> None:
    """The DDL has the fields of the row, in their order, and its key."""
    ddl = text(view, f"create_{table.name}")
    columns = re.findall(r"(\w+) (?:text|bigint|integer|double precision)(?: NOT NULL)?,", ddl)
    assert tuple(columns) == table.columns
    assert f"PRIMARY KEY ({', '.join(table.key)})" in ddl


@pytest.mark.parametrize(("view", "table"), TABLES, ids=[t.name for _, t in TABLES])
def test_upsert_binds_and_replaces_every_column(view: View, table: Table) -> None:
    """No column is forgotten: neither when a row is inserted nor when it is replaced."""
    sql = text(view, f"upsert_{table.name}")
    assert f"({', '.join(table.columns)})" in sql
    assert len(re.findall(r"\$\d+::", sql)) == len(table.columns)
    replaced = re.findall(r"(\w+) = excluded\.(\w+)", sql)
    assert [a for a, _ in replaced] == [c for c in table.columns if c not in table.key]
    assert all(a == b for a, b in replaced)


@pytest.mark.parametrize(
    ("view", "table"),
    [(v, t) for v, t in TABLES if t.loads],
    ids=[t.name for _, t in TABLES if t.loads],
)
def test_load_gives_every_column(view: View, table: Table) -> None:
    """A row that is loaded is whole."""
    assert text(view, f"load_{table.name}").startswith(f"SELECT {', '.join(table.columns)} FROM")


@pytest.mark.parametrize(
    "path", sorted(SQL.rglob("*.sql")), ids=lambda p: f"{p.parent.name}/{p.stem}"
)
def test_file_is_in_use_and_says_what_it_binds(path: Path) -> None:
    """A statement begins with what it does, names every bind, and some code asks for it."""
    lines = path.read_text().splitlines()
    comment = " ".join(line for line in lines if line.startswith("--"))
    assert lines[0].startswith("-- ")
    for bind in set(re.findall(r"\$\d+", path.read_text())):
        assert bind in comment
    generic = re.match(r"(create|upsert|load|delete|prune)_(\w+)", path.stem)
    used = generic and generic[2] in {t.name for _, t in TABLES}
    assert used or f'"{path.stem}"' in SOURCES


def test_dsql_takes_every_file() -> None:
    """The linter of Aurora DSQL finds nothing in any of them."""
    linter = Path(sys.executable).with_name("dsql-lint")
    done = subprocess.run(
        [linter, *sorted(map(str, SQL.rglob("*.sql")))], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
