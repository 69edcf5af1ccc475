"""PostgreSQL 16 on a port of 127.0.0.1, durable (`fsync` on), with a database per test.

TCP and not a Unix socket, because the failures that tests make (refused, silent, broken
connections) are those of a database on another machine.
"""

from __future__ import annotations

import signal
import subprocess
import tempfile
import uuid
from pathlib import Path
from typing import ClassVar

from copilot.embedded.child import account_of_servers, free_port
from copilot.embedded.postgres import INITDB_FLAGS, programs
from tests.infra.process import Server, ServerFailed

VERSION = 16

# Enough for tests that open many connections, and shared memory in the server's own folder, where
# a killed server leaves nothing behind; the rest are PostgreSQL's own defaults, in particular
# fsync=on and synchronous_commit=on.
_SETTINGS = (
    "max_connections=200",
    "log_min_messages=warning",
    "log_min_error_statement=panic",
    "dynamic_shared_memory_type=mmap",
)


class Postgres(Server):
    """A server and its databases.

    Its folder is a temporary one of its own, because the server may run as another account, which
    cannot enter the test runner's folders.
    """

    stop_signal: ClassVar[signal.Signals] = signal.SIGINT
    """A fast shutdown: sessions are ended and a checkpoint is written."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="copilot-tests-postgres-")
        home = Path(self._folder.name)
        account = account_of_servers()
        if account is not None:
            subprocess.run(["chown", f"{account.uid}:{account.gid}", str(home)], check=True)
        self._bin = programs(VERSION, account=account, copy_to=home / "programs")
        self._port = free_port()
        cluster = home / "cluster"
        subprocess.run(
            [self._bin / "initdb", "-D", str(cluster), *INITDB_FLAGS],
            cwd=home,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            stdout=subprocess.DEVNULL,
            check=True,
        )
        command = [str(self._bin / "postgres"), "-D", str(cluster), "-h", "127.0.0.1"]
        command += ["-p", str(self._port), "-k", str(home)]
        command += [f"-c{setting}" for setting in _SETTINGS]
        super().__init__("PostgreSQL", command, home, account=account)

    @property
    def bin(self) -> Path:
        """The folder with this server's programs (`psql`, `pgbench`, ...)."""
        return self._bin

    def dsn(self, database: str = "postgres") -> str:
        """The address of one database; the same for the whole life of this object."""
        return f"postgresql://postgres@127.0.0.1:{self._port}/{database}"

    def answers(self) -> bool:
        """Whether a query is answered."""
        return self._psql("SELECT 1", "postgres").returncode == 0

    def end(self) -> None:
        """End at once, yet giving its shared memory back, and remove its folder."""
        self._end_by(signal.SIGQUIT, within_s=20.0)
        self._folder.cleanup()

    def create_database(self) -> str:
        """Create an empty database with a name of its own and return that name."""
        name = f"t_{uuid.uuid4().hex[:12]}"
        self.execute(f"CREATE DATABASE {name}")
        return name

    def drop_database(self, name: str) -> None:
        """Drop a database, also when a leaked connection still uses it."""
        self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def execute(self, sql: str, *, database: str = "postgres") -> str:
        """Run one statement through psql and return its unadorned output."""
        done = self._psql(sql, database)
        if done.returncode != 0:
            raise ServerFailed(f"{sql}: {done.stderr.strip()}")
        return done.stdout.strip()

    def _psql(self, sql: str, database: str) -> subprocess.CompletedProcess[str]:
        command = [self._bin / "psql", "-X", "-A", "-t", "-q", self.dsn(database), "-c", sql]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
