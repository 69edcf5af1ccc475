"""Emitting through the installed door into PostgreSQL, by several processes at once."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from pydantic import SecretStr

from copilot.all_in_one import make_tables
from copilot.embedded.child import free_port
from copilot_core.errors import Conflict, Defect, Unavailable
from copilot_core.events import ConfigChanged, RecordedEvent
from copilot_eventlog.settings import EventLogSettings
from dsql_config.emit import ConfigLog, Emitted, Unchanged, open_log
from tests.unit.compiler.test_emit import emitted


@pytest.fixture
def database(pg_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A log with its tables at `COPILOT_LOG_DSN`."""
    asyncio.run(make_tables(EventLogSettings(log_dsn=SecretStr(pg_dsn))))
    monkeypatch.setenv("COPILOT_LOG_DSN", pg_dsn)


def test_what_one_run_emits_the_next_one_finds(database: None) -> None:
    """Three runs of a deployment: recorded, the same one again, and changed."""
    values = ({"qps": 3000, "jitter": 0.1}, {"qps": 3000, "jitter": 0.1}, {"qps": 9000})
    told = []
    for one in values:
        with open_log() as log:
            told.append(emitted(log, one))
    assert [type(t) for t in told] == [Emitted, Unchanged, Emitted]
    assert [t.version for t in told] == [1, 1, 2]
    with open_log() as log:
        recorded = log.last("orders")
    assert isinstance(recorded, RecordedEvent)
    assert recorded.decoded() == told[-1].event


def test_of_two_that_read_the_same_one_wins_and_the_other_is_told(database: None) -> None:
    """Two deployments decide from the same last change; one is recorded, the other conflicts."""
    both_have_read = Barrier(2, timeout=30)

    class Waiting:
        """The installed log; its reader waits until the other one has read too."""

        def __init__(self, log: ConfigLog) -> None:
            self._log = log

        def last(self, cluster: str) -> RecordedEvent | None:
            found = self._log.last(cluster)
            both_have_read.wait()
            return found

        def append(self, cluster: str, event: ConfigChanged, *, version: int) -> RecordedEvent:
            return self._log.append(cluster, event, version=version)

    def deploy(author: str) -> str:
        with open_log() as log:
            try:
                emitted(Waiting(log), {"qps": len(author)}, author=author)
            except Conflict:
                return "told"
            return author

    with ThreadPoolExecutor(2) as deployments:
        outcomes = list(deployments.map(deploy, ("kim", "lee-ann")))
    assert outcomes.count("told") == 1
    (winner,) = set(outcomes) - {"told"}
    with open_log() as log:
        recorded = log.last("orders")
    assert recorded is not None
    assert (recorded.version, getattr(recorded.decoded(), "author", "")) == (1, winner)


def test_a_log_that_is_away_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens at the address: nothing is emitted, and what to look at is said."""
    monkeypatch.setenv("COPILOT_LOG_DSN", f"postgresql://x@127.0.0.1:{free_port()}/x")
    with open_log() as log, pytest.raises(Unavailable) as caught:
        emitted(log, {"qps": 1})
    assert caught.value.todo


def test_a_database_without_tables_says_what_makes_them(
    pg_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command that makes the tables is in the answer."""
    monkeypatch.setenv("COPILOT_LOG_DSN", pg_dsn)
    with open_log() as log, pytest.raises(Defect, match="copilot db apply"):
        emitted(log, {"qps": 1})
