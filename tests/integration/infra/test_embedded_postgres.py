"""The embedded PostgreSQL is a real one and cleans up after itself."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import psutil
import pytest

from copilot.embedded.postgres import EmbeddedPostgres
from copilot_core.errors import Rejected, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that every account can enter; pytest's own is closed to others."""
    made = Path(tempfile.mkdtemp(prefix="copilot-tests-embedded-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


def _socket_folder(postgres: EmbeddedPostgres) -> Path:
    return Path(postgres.dsn.partition("host=")[2])


async def test_rows_come_back_and_nothing_is_left() -> None:
    """A temporary server stores and answers; afterwards its folder and processes are gone."""
    async with EmbeddedPostgres() as postgres:
        home = _socket_folder(postgres)
        connection = await asyncpg.connect(postgres.dsn)
        await connection.execute("CREATE TABLE kept (n int)")
        await connection.execute("INSERT INTO kept VALUES (1)")
        assert await connection.fetchval("SELECT n FROM kept") == 1
        server = psutil.Process(await connection.fetchval("SELECT pg_backend_pid()")).parent()
        assert server is not None
        await connection.close()
    assert not home.exists()
    assert not server.is_running()


async def test_only_its_owner_can_enter_its_socket() -> None:
    """Without a password, what protects the server is that nobody else reaches the socket."""
    async with EmbeddedPostgres() as postgres:
        assert _socket_folder(postgres).stat().st_mode & 0o077 == 0
        connection = await asyncpg.connect(postgres.dsn)
        assert await connection.fetchval("SHOW listen_addresses") == ""
        await connection.close()


async def test_a_kept_folder_keeps_rows(folder: Path) -> None:
    """What was written under a given folder is there at the next start."""
    for expected in (1, 2):
        async with EmbeddedPostgres(folder / "kept") as postgres:
            connection = await asyncpg.connect(postgres.dsn)
            await connection.execute("CREATE TABLE IF NOT EXISTS starts (n int)")
            await connection.execute("INSERT INTO starts VALUES (1)")
            assert await connection.fetchval("SELECT count(*) FROM starts") == expected
            await connection.close()


async def test_two_servers_on_one_folder_are_refused_with_the_reason(folder: Path) -> None:
    """The second start fails and says, in PostgreSQL's own words, who has the folder."""
    async with EmbeddedPostgres(folder / "kept"):
        with pytest.raises(Unavailable, match=r"postmaster\.pid"):
            async with EmbeddedPostgres(folder / "kept"):
                pass


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs its servers as another account")
async def test_a_folder_out_of_reach_is_refused_before_anything_is_made(folder: Path) -> None:
    """Root's closed folder is named in the refusal, and nothing is created in it."""
    folder.chmod(0o700)
    with pytest.raises(Rejected, match=str(folder)):
        async with EmbeddedPostgres(folder / "kept"):
            pass
    assert list(folder.iterdir()) == []


async def test_a_server_that_dies_is_noticed() -> None:
    """`ended` waits while the server lives and raises Unavailable when it was killed."""
    async with EmbeddedPostgres() as postgres:
        connection = await asyncpg.connect(postgres.dsn)
        server = psutil.Process(await connection.fetchval("SELECT pg_backend_pid()")).parent()
        assert server is not None
        server.kill()
        with pytest.raises(Unavailable, match="exit code -9"):
            await postgres.ended()
        connection.terminate()
