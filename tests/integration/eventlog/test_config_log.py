"""The log of configuration changes, on every log; lost answers; and its door for commands."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from copilot.embedded.child import free_port
from copilot_core.errors import Conflict, Rejected, Unavailable
from copilot_eventlog.config_log import open_config_log
from copilot_eventlog.direct import TAKE_OVERS
from copilot_eventlog.memory import MemoryLog
from copilot_eventlog.postgres import PostgresLog
from copilot_eventlog.protocol import Head
from tests.integration.eventlog.config_contract import (
    ConfigLogContract,
    append,
    changed,
    recorded,
)
from tests.integration.eventlog.databases import dsql_log, postgres_log
from tests.integration.eventlog.dsql_mode import AT_COMMIT, Fault, Faults
from tests.integration.eventlog.logs import InMemory, OnFailingDsql, OnPostgres


class TestInMemory(InMemory, ConfigLogContract):
    """The contract, in memory."""


class TestOnPostgres(OnPostgres, ConfigLogContract):
    """The contract, in PostgreSQL; the rival has connections of its own."""


class TestOnFailingDsql(OnFailingDsql, ConfigLogContract):
    """The contract, where a third of all transactions fail or lose their answer."""


@pytest.mark.parametrize("fault", AT_COMMIT)
async def test_an_append_that_meets_a_fault_is_made_once(log_dsn: str, fault: Fault) -> None:
    """Whatever happens at COMMIT, the answer is the event, and the event is there once."""
    faults = Faults()

    class Struck(PostgresLog):
        async def take_over(self, shard: int, *, writer: str, source: str) -> Head:
            head = await super().take_over(shard, writer=writer, source=source)
            faults.script([fault])  # so that it strikes the append and nothing before it
            return head

    async with dsql_log(log_dsn, faults) as made:
        log = Struck(made.pool)
        told = await append(log, changed(1), 1)
        assert faults.struck == {fault: 1}
        assert await recorded(log) == [told]


class Overtaken(MemoryLog):
    """A log where, each time somebody took the config shard over, another writer does so too."""

    async def take_over(self, shard: int, *, writer: str, source: str) -> Head:
        head = await super().take_over(shard, writer=writer, source=source)
        await super().take_over(shard, writer="another", source=source)
        return head


async def test_a_writer_that_is_always_overtaken_gives_up() -> None:
    """Take-overs are bounded; then it says that others keep writing, and nothing was recorded."""
    log = Overtaken()
    with pytest.raises(Unavailable, match=f"{TAKE_OVERS} times"):
        await append(log, changed(1), 1)
    assert await recorded(log) == []


async def test_an_answer_lost_to_a_successor_is_found() -> None:
    """An append that was made, and answered with `Fenced` because a successor came, is not lost."""

    class Succeeded(MemoryLog):
        async def append(self, head: Head, events, *, source_offset, carry=b"") -> Head:
            await super().append(head, events, source_offset=source_offset, carry=carry)
            await self.take_over(head.shard, writer="another", source=head.source)
            return await super().append(head, events, source_offset=source_offset, carry=carry)

    log = Succeeded()
    told = await append(log, changed(1), 1)
    assert await recorded(log) == [told]


class TestDoor:
    """`open_config_log`, as a command without an event loop uses it."""

    @pytest.fixture
    async def made_log(self, log_dsn: str) -> str:
        async with postgres_log(log_dsn):
            return log_dsn

    def test_it_opens_the_log_that_the_environment_names(
        self, made_log: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What one process appended, the next one reads; a version that is taken is a conflict."""
        monkeypatch.setenv("COPILOT_LOG_DSN", made_log)
        with open_config_log() as log:
            assert log.last("orders") is None
            told = log.append("orders", changed(1), version=1)
        with open_config_log() as log:
            assert log.last("orders") == told
            with pytest.raises(Conflict):
                log.append("orders", changed(2), version=1)

    def test_a_variable_that_is_missing_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without an address there is no log: wrong input, and the variable is named."""
        monkeypatch.delenv("COPILOT_LOG_DSN", raising=False)
        with pytest.raises(Rejected, match="COPILOT_LOG_DSN") as caught, open_config_log():
            pass
        assert caught.value.code == "settings"

    def test_a_log_that_is_away_is_unavailable(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nobody listens at the address: `Unavailable`, with what to look at."""
        monkeypatch.setenv("COPILOT_LOG_DSN", f"postgresql://x@127.0.0.1:{free_port()}/x")
        with open_config_log() as log, pytest.raises(Unavailable) as caught:
            log.last("orders")
        assert caught.value.todo

    def test_it_writes_nothing_to_a_commands_output(self) -> None:
        """What a command prints is its answer: retries against a log that is away are not in it."""
        script = """
from copilot_core.errors import Unavailable
from copilot_eventlog.config_log import open_config_log

with open_config_log() as log:
    try:
        log.last("orders")
    except Unavailable:
        print("away")
"""
        env = os.environ | {"COPILOT_LOG_DSN": f"postgresql://x@127.0.0.1:{free_port()}/x"}
        done = subprocess.run(
            [sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True
        )
        assert (done.stdout, done.stderr) == ("away\n", "")
