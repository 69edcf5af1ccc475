"""The process tree of `copilot run all`, with small real processes as its parts."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from copilot.supervisor import Part, PartRefused, Supervisor

WITHIN_S = 20.0


def part(name: str, script: str, *args: object) -> Part:
    """A part that runs a Python script; `args` are its `sys.argv[1:]`."""
    return Part(name, (sys.executable, "-c", textwrap.dedent(script), *map(str, args)))


SLEEPER = """
    import signal, sys, pathlib
    def stop(*_):
        pathlib.Path(sys.argv[1]).write_text("stopped cleanly")
        sys.exit(0)
    signal.signal(signal.SIGTERM, stop)
    pathlib.Path(sys.argv[1]).write_text("ready")
    signal.pause()
"""


async def until(holds: Callable[[], bool]) -> None:
    """Wait for something that other processes bring about."""
    async with asyncio.timeout(WITHIN_S):
        while not holds():
            await asyncio.sleep(0.02)


async def running(supervisor: Supervisor, meanwhile: Callable[[], Awaitable[None]]) -> None:
    """Run the supervisor, do something, then stop it and wait for its end."""
    stopping = asyncio.Event()
    async with asyncio.timeout(2 * WITHIN_S):
        task = asyncio.create_task(supervisor.run(stopping))
        await meanwhile()
        stopping.set()
        await task


def alive(pid: int) -> bool:
    """True while a process exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_all_parts_are_stopped_and_may_end_cleanly(tmp_path: Path) -> None:
    """Told to stop, every part gets SIGTERM and ends by itself; none is left."""
    notes = [tmp_path / "a", tmp_path / "b"]
    supervisor = Supervisor([part(n.name, SLEEPER, n) for n in notes])
    pids: list[int] = []

    async def both_ready() -> None:
        await until(lambda: all(n.exists() and n.read_text() == "ready" for n in notes))
        pids.extend(pid for n in notes if (pid := supervisor.pid(n.name)))

    await running(supervisor, both_ready)
    assert [n.read_text() for n in notes] == ["stopped cleanly"] * 2
    assert len(pids) == 2
    assert not any(map(alive, pids))


@pytest.mark.parametrize("code", [75, 70, 3, 0])
async def test_a_part_that_ends_is_started_again(tmp_path: Path, code: int) -> None:
    """Whatever a part ended with, unless the input was wrong, it is started again."""
    tally = tmp_path / "tally"
    script = "import sys; open(sys.argv[1], 'a').write('x'); sys.exit(int(sys.argv[2]))"
    supervisor = Supervisor([part("flaky", script, tally, code)], first_pause_s=0.01)
    await running(supervisor, lambda: until(lambda: supervisor.restarts["flaky"] >= 2))
    assert len(tally.read_text()) >= 2


async def test_a_killed_part_is_started_again(tmp_path: Path) -> None:
    """kill -9 of a part is one more way to end."""
    note = tmp_path / "note"
    supervisor = Supervisor([part("sleeper", SLEEPER, note)], first_pause_s=0.01)

    async def kill_it_once() -> None:
        await until(lambda: note.exists() and note.read_text() == "ready")
        first = supervisor.pid("sleeper")
        assert first is not None
        note.unlink()
        os.kill(first, signal.SIGKILL)
        await until(lambda: note.exists() and note.read_text() == "ready")
        assert supervisor.pid("sleeper") != first

    await running(supervisor, kill_it_once)
    assert supervisor.restarts["sleeper"] == 1


async def test_wrong_input_stops_everything(tmp_path: Path) -> None:
    """A part that exits with 2 would do so for ever: the tree ends with the same code."""
    note = tmp_path / "note"
    supervisor = Supervisor(
        [part("sleeper", SLEEPER, note), part("refused", "import sys; sys.exit(2)")]
    )
    async with asyncio.timeout(WITHIN_S):
        with pytest.raises(PartRefused) as caught:
            await supervisor.run(asyncio.Event())
    assert caught.value.exit_code == 2
    assert supervisor.pid("sleeper") is None


def test_no_part_outlives_a_killed_supervisor(tmp_path: Path) -> None:
    """kill -9 of the supervisor takes its parts with it."""
    note = tmp_path / "pid"
    child = "import os, sys, time; open(sys.argv[1], 'w').write(str(os.getpid())); time.sleep(60)"
    parent = textwrap.dedent("""
        import asyncio, sys
        from copilot.supervisor import Part, Supervisor
        asyncio.run(Supervisor([Part("child", sys.argv[1:])]).run(asyncio.Event()))
    """)
    process = subprocess.Popen(
        [sys.executable, "-c", parent, sys.executable, "-c", child, str(note)]
    )
    asyncio.run(until(lambda: note.exists() and note.read_text().isdigit()))
    process.kill()
    process.wait(timeout=WITHIN_S)
    asyncio.run(until(lambda: not alive(int(note.read_text()))))
