"""One database for all tests of a module, emptied after each: making one takes half a second."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from copilot_eventlog.schema import expected
from tests.infra.postgres import Postgres


@pytest.fixture(scope="module")
def module_database(postgres: Postgres) -> Iterator[str]:
    """The name of a database that only this module uses."""
    name = postgres.create_database()
    yield name
    postgres.drop_database(name)


@pytest.fixture
def log_dsn(postgres: Postgres, module_database: str) -> Iterator[str]:
    """The address of a database whose tables, if it has them, are empty."""
    yield postgres.dsn(module_database)
    tables = [name for name, shape in expected().items() if shape.table == name]
    postgres.execute(f"TRUNCATE {', '.join(tables)}", database=module_database)
