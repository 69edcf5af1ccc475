"""The SQL files: readable, documented, and fit for Aurora DSQL."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

from copilot_eventlog.schema import expected
from copilot_eventlog.statements import Dialect, render, schema_files, statement

SQL = Path(str(files("copilot_eventlog") / "sql"))
ALL = sorted(SQL.rglob("*.sql"))
STATEMENTS = [path for path in ALL if path.parent.name == "statements"]


def text_of(path: Path) -> tuple[str, str]:
    """The comment on top of a file, and the statement below it."""
    lines = path.read_text("utf-8").splitlines()
    head = [line for line in lines if line.startswith("--")]
    return "\n".join(head), "\n".join(lines[len(head) :])


def test_there_are_files() -> None:
    """The schema and the statements are where the package looks for them."""
    assert len(schema_files()) == 7
    assert len(STATEMENTS) >= 17


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_a_file_is_one_statement_with_its_purpose_on_top(path: Path) -> None:
    """Each file begins with a comment and holds a single statement."""
    head, body = text_of(path)
    assert head
    assert "--" not in body
    assert body.rstrip().rstrip(";").count(";") == 0


@pytest.mark.parametrize("path", STATEMENTS, ids=lambda path: path.stem)
def test_the_bind_list_is_on_top(path: Path) -> None:
    """Every parameter that a statement uses is named in its comment, and no other."""
    head, body = text_of(path)
    used = sorted({int(n) for n in re.findall(r"\$(\d+)", body)})
    named = sorted({int(n) for n in re.findall(r"\$(\d+)", head)})
    assert used == named == list(range(1, len(used) + 1))


@pytest.mark.parametrize("path", STATEMENTS, ids=lambda path: path.stem)
def test_every_statement_has_a_caller(path: Path) -> None:
    """No file lies about unused."""
    sources = "".join(p.read_text("utf-8") for p in SQL.parent.glob("*.py"))
    assert f'"{path.stem}"' in sources
    assert statement(path.stem) == path.read_text("utf-8")


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_dsql_lint(path: Path) -> None:
    """Amazon's own checker finds nothing to refuse in any file."""
    lint = Path(sys.executable).with_name("dsql-lint")
    done = subprocess.run([lint, path], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_checker_does_refuse(tmp_path: Path) -> None:
    """The checker that says nothing about our files does find what DSQL refuses."""
    bad = tmp_path / "bad.sql"
    bad.write_text("CREATE INDEX i ON t (a);")
    lint = Path(sys.executable).with_name("dsql-lint")
    assert subprocess.run([lint, bad], capture_output=True, timeout=60, check=False).returncode


def test_dialects_differ_in_one_word() -> None:
    """PostgreSQL gets the same DDL without ASYNC, and nothing else is changed."""
    differing = [
        name
        for name, ddl in schema_files().items()
        if render(ddl, Dialect.POSTGRES) != render(ddl, Dialect.DSQL)
    ]
    assert differing == ["es_event_stream"]
    assert all("ASYNC" not in render(ddl, Dialect.POSTGRES) for ddl in schema_files().values())


def test_one_secondary_index() -> None:
    """Each index entry is paid for at every append: there is one besides the primary keys."""
    assert [name for name, shape in expected().items() if name != shape.table] == [
        "es_event_stream"
    ]


def test_shapes_are_read_from_the_files() -> None:
    """Columns, types, nullability and keys come out of the DDL as it is written."""
    event = expected()["es_event"]
    assert event.key == ("shard", "pos")
    assert event.columns["occurred_at"] == "timestamp with time zone NOT NULL"
    assert event.columns["meta"] == "text"
    assert len(event.columns) == 12
    assert expected()["es_event_stream"].key == ("stream_id", "version")
