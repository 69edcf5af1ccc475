"""No server outlives the test run that started it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.infra.components import REPO

if TYPE_CHECKING:
    from pathlib import Path

_START_AND_WAIT = """
import sys, time
from pathlib import Path
from tests.infra.process import Child
folder = Path(sys.argv[1])
child = Child("sleeper", ["sleep", "300"], log=folder / "log", cwd=folder)
child.start(lambda: True)
print(child._process.pid, flush=True)
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
    assert child.is_running()

    runner.send_signal(signal.SIGKILL)
    runner.wait(10)

    # A dead child may stay as an entry without a process until init collects it.
    _gone, alive = psutil.wait_procs([child], timeout=10)
    assert all(process.status() == psutil.STATUS_ZOMBIE for process in alive)
