"""A process starts, is watched, stops cleanly, and ends with an exit code that says why.

Each fact is checked on a real child process: signals, exit codes and what is on stderr.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import urllib.error
import urllib.request

import pytest

PRELUDE = """
import asyncio, sys, time
from copilot_core.errors import Fenced, Rejected, Unavailable
from copilot_service import Service, ServiceSettings, read_settings
"""


def start(body: str, **settings: object) -> subprocess.Popen[str]:
    """Run `body`, which defines `async def main(service)`, as a process of its own."""
    code = (
        PRELUDE
        + textwrap.dedent(body)
        + "\nsys.exit(Service('t', read_settings(ServiceSettings)).run(main))"
    )
    env = os.environ | {f"COPILOT_{name.upper()}": str(value) for name, value in settings.items()}
    return subprocess.Popen(
        [sys.executable, "-c", code], env=env, stderr=subprocess.PIPE, text=True
    )


def ended(
    process: subprocess.Popen[str], *, within_s: float = 20
) -> tuple[int, list[dict[str, object]]]:
    """Exit code and the structured lines of a process that ends by itself."""
    _, err = process.communicate(timeout=within_s)
    return process.returncode, [
        json.loads(line) for line in err.splitlines() if line.startswith("{")
    ]


def await_line(process: subprocess.Popen[str], event: str) -> None:
    """Read stderr until a line with that event has come."""
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("{") and json.loads(line)["event"] == event:
            return
    raise AssertionError(f"ended without {event!r}")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("Rejected('bad')", 2),
        ("Fenced('taken')", 3),
        ("Unavailable('silent')", 75),
        ("ValueError('?')", 70),
    ],
)
def test_an_error_ends_the_process_with_the_code_of_its_kind(error: str, code: int) -> None:
    """The exit code tells a supervisor which kind of error ended the process."""
    returncode, lines = ended(start(f"async def main(service):\n    raise {error}"))
    assert returncode == code
    assert lines[-1]["exit_code"] == code
    assert lines[-1]["level"] == "error"


def test_a_named_error_in_a_task_group_decides_the_code() -> None:
    """Of several errors in a task group, the one raised on purpose says why the process ended."""
    body = """
    async def fail():
        raise Unavailable("no broker", where="kafka", todo="start it")
    async def main(service):
        async with asyncio.TaskGroup() as group:
            group.create_task(fail())
            group.create_task(asyncio.sleep(60))
    """
    returncode, lines = ended(start(body))
    assert returncode == 75
    assert (lines[-1]["what"], lines[-1]["where"], lines[-1]["todo"]) == (
        "no broker",
        "kafka",
        "start it",
    )


def test_parts_run_until_one_fails_or_the_process_stops() -> None:
    """`until_stopped` ends with the first failing part, whose error decides the exit code."""
    body = """
    async def fail():
        await asyncio.sleep(0.1)
        raise Unavailable("away")
    async def main(service):
        await service.until_stopped(asyncio.Event().wait(), fail())
    """
    assert ended(start(body))[0] == 75


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_asks_main_to_stop_and_the_end_is_clean(sign: signal.Signals) -> None:
    """SIGTERM and SIGINT set `stopping`; a main that returns then ends the process with 0."""
    process = start("async def main(s):\n    await s.until_stopped(asyncio.Event().wait())")
    await_line(process, "started")
    process.send_signal(sign)
    assert ended(process)[0] == 0


def test_a_main_that_does_not_stop_is_cancelled() -> None:
    """After stop_timeout_s a main that ignores the stop request is cancelled and named a defect."""
    process = start("async def main(service):\n    await asyncio.sleep(60)", stop_timeout_s=0.3)
    await_line(process, "started")
    process.send_signal(signal.SIGTERM)
    returncode, lines = ended(process)
    assert returncode == 70
    assert "did not stop within 0.3 s" in str(lines[-1]["what"])


def test_standing_still_ends_the_process_and_says_what_it_waited_for() -> None:
    """No progress for no_progress_exit_s exits 75 with the conditions that do not hold."""
    body = """
    async def main(service):
        service.set_ready("log", False, why="database refused")
        await asyncio.sleep(60)
    """
    returncode, lines = ended(start(body, no_progress_exit_s=0.5))
    assert returncode == 75
    assert "database refused" in str(lines[-1]["todo"])


def test_a_blocked_event_loop_ends_the_process_too() -> None:
    """The guard is a thread: a loop that hangs in synchronous code does not stay alive."""
    returncode, lines = ended(
        start("async def main(service):\n    time.sleep(60)", no_progress_exit_s=0.5)
    )
    assert returncode == 75
    assert lines[-1]["event"] == "leaving without a clean end"


def test_a_main_that_moves_lives_beyond_the_limit() -> None:
    """Progress resets the limit: a process that moves now and then is not ended."""
    body = """
    async def main(service):
        for _ in range(10):
            await asyncio.sleep(0.15)
            service.progress()
    """
    assert ended(start(body, no_progress_exit_s=1.0))[0] == 0


def test_the_three_questions_are_answered() -> None:
    """/healthz, /readyz and /metrics tell the truth about a running process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    body = """
    async def main(service):
        service.set_ready("log", False, why="not yet")
        await service.stopping.wait()
    """
    process = start(body, service_port=port)
    await_line(process, "not ready")

    def get(path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as e:
            return e.code, e.read().decode()

    assert get("/healthz")[0] == 200
    status, ready = get("/readyz")
    assert (status, json.loads(ready)["waiting_for"]) == (503, {"log": "not yet"})
    status, metrics = get("/metrics")
    assert status == 200
    assert 'copilot_ready{condition="log"} 0.0' in metrics
    process.terminate()
    assert ended(process)[0] == 0


def test_a_taken_port_is_an_error_that_names_the_setting() -> None:
    """A port that cannot be bound ends the process with 75 and names the variable to change."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process = start("async def main(service):\n    pass", service_port=taken.getsockname()[1])
        returncode, lines = ended(process)
    assert returncode == 75
    assert "COPILOT_SERVICE_PORT" in str(lines[-1]["where"])


def test_a_main_that_returns_ends_the_process_with_0() -> None:
    """A process whose work is done ends by itself; no guard holds it and no signal is needed."""
    assert ended(start("async def main(service):\n    pass"))[0] == 0
