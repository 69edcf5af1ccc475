"""A real server as a child process that tests may stop, kill, freeze and start again.

Signals go to the whole process tree: PostgreSQL is many processes. Children are forked from one
thread that lives as long as the interpreter, because the kernel's "end with the parent" is bound to
the forking thread and tests start servers from short-lived threads (`asyncio.to_thread`) too.
"""

from __future__ import annotations

import atexit
import contextlib
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import psutil

from copilot.embedded.child import tied_to_us

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from copilot.embedded.child import Account

_forker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="forker")


class ServerFailed(RuntimeError):
    """A server ended or stayed silent where it should answer; shows the end of its log."""


class Child:
    """One server process. `log` collects its output over all its lives."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        cwd: Path,
        env: Mapping[str, str] | None = None,
        account: Account | None = None,
    ) -> None:
        self.name = name
        self.log = log
        self._command = tuple(command)
        self._cwd = cwd
        self._env = env
        self._account = account
        self._process: subprocess.Popen[bytes] | None = None
        atexit.register(self.kill)

    @property
    def running(self) -> bool:
        """Whether the process exists and has not ended (a frozen one is running)."""
        return self._process is not None and self._process.poll() is None

    def start(self, answers: Callable[[], bool], *, within_s: float = 60.0) -> None:
        """Start the process and wait until `answers()` is true.

        Raises ServerFailed when the process ends or `within_s` seconds pass first.
        """
        if self.running:
            raise ServerFailed(f"{self.name} runs already")
        self._process = _forker.submit(self._spawn).result()
        deadline = time.monotonic() + within_s
        while not answers():
            if not self.running or time.monotonic() > deadline:
                self.kill()
                raise ServerFailed(
                    f"{self.name} did not answer in {within_s:.0f} s:\n{self.tail()}"
                )
            time.sleep(0.05)

    def stop(self, how: signal.Signals = signal.SIGTERM, *, within_s: float = 20.0) -> None:
        """Ask the process to end; kill it when it has not after `within_s` seconds."""
        if self._process is None:
            return
        self.resume()
        if self.running:
            self._process.send_signal(how)
        try:
            self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """`kill -9` of the whole tree; returns when every process of it is gone."""
        family = self._signal_tree(signal.SIGKILL)
        psutil.wait_procs(family, timeout=20)
        if self._process is not None:
            self._process.wait()

    def pause(self) -> None:
        """Freeze the tree: connections stay open and nobody answers, as on a hung machine."""
        self._signal_tree(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a frozen tree go on."""
        self._signal_tree(signal.SIGCONT)

    def tail(self, lines: int = 30) -> str:
        """The last lines of the log."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def _spawn(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                tied_to_us(self._command),
                cwd=self._cwd,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C belongs to the test runner alone
                user=self._account.uid if self._account else None,
                group=self._account.gid if self._account else None,
                extra_groups=[] if self._account else None,
            )

    def _signal_tree(self, number: signal.Signals) -> list[psutil.Process]:
        if self._process is None or self._process.poll() is not None:
            return []
        try:
            parent = psutil.Process(self._process.pid)
            parent.suspend()  # it forks no more, so the list of its children is complete
            children = parent.children(recursive=True)
        except psutil.NoSuchProcess:
            return []
        family = [*children, parent]
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(number)
        return family
