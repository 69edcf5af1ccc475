"""No server outlives the test run that started it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.infra.components import REPO

if TYPE_CHECKING:
    from pathlib import Path

# The server answers by telling its process id, which it does itself: from then on it has taken the
# place of `setpriv`, and that its end is tied to the runner's has been asked for.
_START_AND_WAIT = """
import sys, time
from pathlib import Path
from tests.infra.process import Server

class Sleeper(Server):
    def answers(self):
        return self.log.read_text() != ""

sleeper = Sleeper("Sleeper", ["sh", "-c", "echo $$; exec sleep 300"], Path(sys.argv[1]))
sleeper.start()
print(sleeper.tail(), flush=True)
time.sleep(300)
"""


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv (util-linux) is Linux only")
def test_children_end_when_the_test_run_is_killed(tmp_path: Path) -> None:
    """`kill -9` of the test process ends the servers it started."""
    runner = subprocess.Popen(
        [sys.executable, "-c", _START_AND_WAIT, str(tmp_path)],
        cwd=REPO,
        env={**os.environ, "PYTHONPATH": str(REPO)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert runner.stdout is not None
    child = psutil.Process(int(runner.stdout.readline()))
    assert not _ended(child)

    runner.send_signal(signal.SIGKILL)
    runner.wait(10)

    deadline = time.monotonic() + 10
    while not _ended(child):
        assert time.monotonic() < deadline, "the server outlives its test run"
        time.sleep(0.05)


def _ended(process: psutil.Process) -> bool:
    """Whether it ran its last; the entry of a dead child may stay until init collects it."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
