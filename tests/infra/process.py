"""A real server as a child process that tests may stop, kill, freeze and start again.

`Server` has what all components have in common; a component's own file says what is its own: its
files, its command, and how it shows that it can be used.

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
import urllib.error
import urllib.request
from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, ClassVar

import psutil

from copilot.embedded.child import tied_to_us

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Self

    from copilot.embedded.child import Account

_forker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="forker")


class ServerFailed(RuntimeError):
    """A server ended or stayed silent where it should answer; shows the end of its log."""


class Server(ABC):
    """One server that keeps its address, and what it has on disk, over stop, kill and start.

    As a context manager it is started, and ended at once. `log` collects what it prints over all
    its lives; it runs in `home`, as `account` when one is given.
    """

    starts_within_s: ClassVar[float] = 60.0
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    """What asks for a clean shutdown."""

    def __init__(
        self, name: str, command: Sequence[str], home: Path, *, account: Account | None = None
    ) -> None:
        self.name = name
        self.log = home / f"{name.lower()}.log"
        self._command = tuple(command)
        self._home = home
        self._account = account
        self._process: subprocess.Popen[bytes] | None = None
        atexit.register(self.kill)

    @abstractmethod
    def answers(self) -> bool:
        """Whether it can be used; asked over and over while it starts, so it never raises."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    @property
    def running(self) -> bool:
        """Whether the process exists and has not ended (a frozen one is running)."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start where it was before; returns when it answers.

        Raises ServerFailed when the process ends or `starts_within_s` pass first.
        """
        if self.running:
            raise ServerFailed(f"{self.name} runs already")
        self._process = _forker.submit(self._spawn).result()
        deadline = time.monotonic() + self.starts_within_s
        while not self.answers():
            if not self.running or time.monotonic() > deadline:
                self.kill()
                raise ServerFailed(
                    f"{self.name} did not answer in {self.starts_within_s:.0f} s:\n{self.tail()}"
                )
            time.sleep(0.05)

    def stop(self, *, within_s: float = 20.0) -> None:
        """Clean shutdown; killed when it has not ended after `within_s` seconds."""
        self._end_by(self.stop_signal, within_s)

    def restart(self) -> None:
        """Clean stop, then start."""
        self.stop()
        self.start()

    def end(self) -> None:
        """End at once, for good."""
        self.kill()

    def kill(self) -> None:
        """`kill -9` of the whole tree, as when its machine loses power; returns when it is gone."""
        family = self._signal_tree(signal.SIGKILL)
        psutil.wait_procs(family, timeout=20)
        if self._process is not None:
            self._process.wait()

    def pause(self) -> None:
        """Freeze the tree: connections stay open, nothing is answered, as on a hung machine."""
        self._signal_tree(signal.SIGSTOP)

    def resume(self) -> None:
        """Go on after `pause`."""
        self._signal_tree(signal.SIGCONT)

    def tail(self, lines: int = 30) -> str:
        """The last lines of the log."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def _spawn(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                tied_to_us(self._command),
                cwd=self._home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C belongs to the test runner alone
                user=self._account.uid if self._account else None,
                group=self._account.gid if self._account else None,
                extra_groups=[] if self._account else None,
            )

    def _end_by(self, how: signal.Signals, within_s: float) -> None:
        if self._process is None:
            return
        self.resume()
        if self.running:
            self._process.send_signal(how)
        try:
            self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            self.kill()

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


def http_status(url: str, body: bytes | None = None) -> int:
    """The status code that a GET (a POST when there is a body) gets; 0 when nobody answered."""
    try:
        with urllib.request.urlopen(url, data=body, timeout=5) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0
