"""`copilot run all`: one machine watching a Prometheus by the clock, with nothing given."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from copilot.demo import BUNDLED
from copilot.embedded.child import free_port
from copilot.replayed_prometheus import serving
from copilot_core.samples import Sample
from copilot_core.signals import Installation
from copilot_streams.recording import open_recording

pytestmark = pytest.mark.slow

INTERVAL_S = 5
SCRAPE_INTERVAL_S = 15
LASTS_S = 600
WITHIN_S = 120.0


def until(holds: Callable[[], Any]) -> Any:
    """Wait for something that other processes bring about, and return it."""
    ends = time.monotonic() + WITHIN_S
    while not (found := holds()):
        assert time.monotonic() < ends, "waited too long"
        time.sleep(0.2)
    return found


@pytest.fixture
def prometheus() -> Iterator[str]:
    """A Prometheus that tells of a healthy cluster for the next ten minutes."""
    with open_recording(BUNDLED) as recording:
        told = recording.header.installation
        healthy = [m for m in recording if isinstance(m, Sample)][8]
    first = int(time.time()) // INTERVAL_S * INTERVAL_S
    samples = [
        healthy.model_copy(update={"slot": slot, "interval_s": INTERVAL_S})
        for slot in range(first, first + LASTS_S, INTERVAL_S)
    ]
    installation = Installation(told.server, told.sdk, told.dsql, told.instance_label)
    with serving(samples, installation, scrape_interval_s=SCRAPE_INTERVAL_S) as url:
        yield url


@pytest.fixture
def folder() -> Path:
    """A folder for data and temporary files that `nobody` may walk to."""
    home = Path(tempfile.mkdtemp(prefix="copilot-test-all-"))
    home.chmod(0o777)
    return home


class Machine:
    """`copilot run all` in one folder."""

    def __init__(self, folder: Path, prometheus: str) -> None:
        clusters = folder / "clusters.toml"
        clusters.write_text(
            f'[[cluster]]\nid = "orders"\ninterval_s = {INTERVAL_S}\n'
            f'[cluster.prometheus]\nurl = "{prometheus}"\n'
            f"scrape_interval_s = {SCRAPE_INTERVAL_S}\n"
        )
        self.url = f"http://127.0.0.1:{free_port()}"
        self.env = {
            **os.environ,
            "TMPDIR": str(folder),
            "COPILOT_CLUSTERS_FILE": str(clusters),
            "COPILOT_DATA_DIR": str(folder / "data"),
            "COPILOT_API_PORT": self.url.rpartition(":")[2],
            "COPILOT_SCRAPER_SETTLE_S": "0.5",
        }

    def start(self) -> psutil.Process:
        """Start the tree."""
        command = [sys.executable, "-m", "copilot.main", "run", "all"]
        return psutil.Process(subprocess.Popen(command, env=self.env).pid)

    def status(self) -> dict[str, Any] | None:
        """What the API says of the cluster, None while it says nothing."""
        try:
            answer = httpx.get(f"{self.url}/v1/clusters/orders/status", trust_env=False)
        except httpx.TransportError:
            return None
        return answer.json() if answer.is_success else None

    def current(self, *, after_ms: int = 0) -> dict[str, Any] | None:
        """A status that is of now, and of a slot behind `after_ms`."""
        status = self.status()
        return status if status and status["current"] and status["at_ms"] > after_ms else None


def part_of(tree: psutil.Process, name: str) -> psutil.Process | None:
    """The process of a part."""
    for child in tree.children(recursive=True):
        if child.cmdline()[-2:] == ["run", name]:
            return child
    return None


def test_it_watches_survives_a_kill_and_remembers(folder: Path, prometheus: str) -> None:
    """Samples become a current status; a killed worker is started again and goes on; SIGTERM ends
    the tree cleanly; the next start knows what was before."""
    machine = Machine(folder, prometheus)
    tree = machine.start()
    try:
        first = until(machine.current)
        assert first["status"] in ("happy", "unknown")
        worker = until(lambda: part_of(tree, "worker"))
        worker.send_signal(signal.SIGKILL)
        killed_ms = int(time.time() * 1000)
        again = until(lambda: machine.current(after_ms=killed_ms))
        assert part_of(tree, "worker") not in (None, worker)
        children = tree.children(recursive=True)
        tree.send_signal(signal.SIGTERM)
        assert tree.wait(timeout=WITHIN_S) == 0
    finally:
        if tree.is_running():
            tree.kill()
    until(lambda: not any(child.is_running() for child in children))
    assert {path.name for path in folder.iterdir()} == {"clusters.toml", "data"}

    tree = machine.start()
    try:
        status = until(machine.status)
        assert status["at_ms"] >= again["at_ms"], "what was folded before the stop is known"
        until(lambda: machine.current(after_ms=again["at_ms"]))
        tree.send_signal(signal.SIGTERM)
        assert tree.wait(timeout=WITHIN_S) == 0
    finally:
        if tree.is_running():
            tree.kill()
