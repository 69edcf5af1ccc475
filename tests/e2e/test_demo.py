"""`copilot demo` as a newcomer runs it: a process of its own, everything embedded."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import orjson
import psutil
import pytest

from copilot.demo import BUNDLED
from copilot.embedded.child import free_port
from copilot_core.events import EVENT_TYPES

pytestmark = pytest.mark.slow

COMMAND = (sys.executable, "-m", "copilot.main")
WITHIN_S = 180.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for temporary files that `nobody` may walk to, as /tmp is."""
    home = Path(tempfile.mkdtemp(prefix="copilot-test-demo-"))
    home.chmod(0o777)
    return home


def environment(folder: Path) -> dict[str, str]:
    """Temporary files go where the test can see what is left; foreign settings must not matter."""
    return {
        **os.environ,
        "TMPDIR": str(folder),
        "COPILOT_LOG_DSN": "postgresql://nobody@192.0.2.1/nowhere",
        "COPILOT_RULES_FILE": "/no/such/file",
    }


def records(out: str) -> list[dict[str, Any]]:
    """Standard output as JSON lines."""
    return [orjson.loads(line) for line in out.splitlines()]


def until(holds: Callable[[], bool]) -> None:
    """Wait for something that another process brings about."""
    ends = time.monotonic() + WITHIN_S
    while not holds():
        assert time.monotonic() < ends, "waited too long"
        time.sleep(0.1)


def of_kind(events: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Events by the kind of stream that they belong to: streams are in order, kinds interleave."""
    kinds: dict[str, list[dict[str, Any]]] = {}
    for event in events:
        kinds.setdefault(EVENT_TYPES[event["type"]].stream_kind, []).append(event)
    return kinds


def test_the_incident_comes_out_as_it_is_folded_without_a_line(folder: Path) -> None:
    """What the public topic carried, the log's digest and the re-fold's digest all equal the fold
    of the recording in one process, and so do the words; nothing is left behind."""
    done = subprocess.run(
        [*COMMAND, "demo", "--json", "--speed", "0"],
        capture_output=True, text=True, env=environment(folder), timeout=WITHIN_S, check=True,
    )  # fmt: skip
    *shown, summary = records(done.stdout)
    *decided, expected = records(alone("evaluate"))
    assert set(summary) == {
        "type", "samples", "events", "transitions", "digest", "refold_digest",
    }  # fmt: skip
    assert summary["type"] == "Summary"
    assert summary["digest"] == summary["refold_digest"] == expected["digest"]
    assert (summary["samples"], summary["events"]) == (expected["samples"], expected["events"])
    assert summary["transitions"] == sum(e["type"] == "HealthTransitioned" for e in decided)
    assert of_kind(shown) == of_kind(decided) | {"explanation": records(alone("explain"))}
    assert list(folder.iterdir()) == []


def alone(command: str) -> str:
    """What a command says of the bundled recording without a line."""
    done = subprocess.run(
        [*COMMAND, command, "--recording", str(BUNDLED), "--json"],
        capture_output=True, text=True, timeout=WITHIN_S, check=True,
    )  # fmt: skip
    return done.stdout


def test_it_ends_with_the_explained_incident(folder: Path) -> None:
    """For eyes the last word is the incident's worst moment: what, why, and the next step."""
    done = subprocess.run(
        [*COMMAND, "demo", "--speed", "0"],
        capture_output=True, text=True, env=environment(folder), timeout=WITHIN_S, check=True,
    )  # fmt: skip
    _, _, end = done.stdout.partition("identical")
    assert "is critical since 17:12:30 UTC" in end
    assert "no worker polls the task queues" in end
    assert "Runbook: copilot kb show workers-absent" in end


def test_serve_keeps_the_api_up_until_interrupted(folder: Path) -> None:
    """After the summary the API answers; Ctrl-C ends everything with exit 0 and leaves nothing."""
    port = free_port()
    process = subprocess.Popen(
        [*COMMAND, "demo", "--serve", "--speed", "0", "--port", str(port)],
        stdout=subprocess.PIPE, text=True, env=environment(folder),
    )  # fmt: skip
    try:
        out = process.stdout
        assert out is not None
        lines = iter(out.readline, "")
        seen = next(line for line in lines if "identical" in line)
        assert "digest of folding it again" in seen
        answer = httpx.get(f"http://127.0.0.1:{port}/v1/clusters", trust_env=False)
        assert [line["cluster"] for line in answer.json()] == ["o1-workers-stopped"]
        children = psutil.Process(process.pid).children(recursive=True)
        assert children
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=WITHIN_S) == 0
    finally:
        process.kill()
    until(lambda: not any(child.is_running() for child in children))
    assert list(folder.iterdir()) == []


def test_interrupted_it_leaves_nothing_behind(folder: Path) -> None:
    """SIGTERM in the middle of the incident: exit 130, no process, no file."""
    process = subprocess.Popen(
        [*COMMAND, "demo", "--speed", "10"],
        stdout=subprocess.PIPE, text=True, env=environment(folder),
    )  # fmt: skip
    try:
        assert process.stdout is not None
        next(line for line in iter(process.stdout.readline, "") if "sight" in line)
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=WITHIN_S) == 130
    finally:
        process.kill()
    until(lambda: not any(child.is_running() for child in children))
    assert list(folder.iterdir()) == []
