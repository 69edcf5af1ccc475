"""Changes of configuration in the log: the stream `config/<cluster>`, for one who writes seldom.

A deployment writes one event and is gone, and two may do so at once: the rules of
`copilot_eventlog.direct` hold. Doing it all again is safe: a profile that is in force already makes
no event. `ConfigLog` and `open_config_log` are the door for a command that knows no event loop.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager
from typing import Any, Final

import structlog
from pydantic import ValidationError

from copilot_core.errors import Conflict, Rejected
from copilot_core.events import ConfigChanged, RecordedEvent, new_event
from copilot_eventlog.direct import DirectShard, DirectWriter
from copilot_eventlog.postgres import open_log
from copilot_eventlog.protocol import EventLog
from copilot_eventlog.settings import EventLogSettings

CONFIG_SHARD: Final = DirectShard.CONFIG.value


async def last(log: EventLog, cluster: str) -> RecordedEvent | None:
    """The newest change of a cluster's configuration, or None when none was ever recorded.

    Raises `Unavailable` when the log does not answer.
    """
    found = await log.read_stream(_stream(cluster), limit=1, newest_first=True)
    return found[0] if found else None


async def append(
    log: EventLog, cluster: str, event: ConfigChanged, *, version: int, writer: str
) -> RecordedEvent:
    """Record a change as version `version` of its stream; returns it as the log holds it.

    `writer` names this process in the shard's head. The same event appended twice is one event.
    Raises `Conflict` when the version is another event's, `Unavailable` when the log does not
    answer or other writers are never done, `Defect` for a version that skips one.
    """
    new = new_event(event, cluster=cluster, version=version)
    try:
        return await DirectWriter(log, DirectShard.CONFIG, writer=writer).append(new)
    except Conflict as e:
        raise Conflict(
            f"somebody else changed this configuration first: {e.what}",
            where=e.where,
            todo="look at what was emitted, then compile and emit again",
        ) from e


def _stream(cluster: str) -> str:
    return f"{ConfigChanged.stream_kind}/{cluster}"


class ConfigLog:
    """The two functions above for a caller that knows no event loop, such as a command.

    `run` runs a coroutine to its end; a log with connections needs the same loop each time.
    """

    def __init__(
        self,
        log: EventLog,
        *,
        writer: str,
        run: Callable[[Coroutine[Any, Any, Any]], Any] = asyncio.run,
    ) -> None:
        self._log = log
        self._writer = writer
        self._run = run

    def last(self, cluster: str) -> RecordedEvent | None:
        """See `last`."""
        return self._run(last(self._log, cluster))

    def append(self, cluster: str, event: ConfigChanged, *, version: int) -> RecordedEvent:
        """See `append`."""
        return self._run(append(self._log, cluster, event, version=version, writer=self._writer))


@contextmanager
def open_config_log() -> Generator[ConfigLog]:
    """The changes of configuration in the log that the environment names (`COPILOT_LOG_DSN`, …).

    Connects with its first use. Raises `Rejected` (code `settings`) naming wrong or missing
    variables.
    """
    settings = _settings()
    with _only_errors_told(), asyncio.Runner() as runner:
        log = runner.run(open_log(settings))
        try:
            writer = f"config {socket.gethostname()}/{os.getpid()}"
            yield ConfigLog(log, writer=writer, run=runner.run)
        finally:
            runner.run(log.close())


@contextmanager
def _only_errors_told() -> Generator[None]:
    """Where nobody set logs up, keep them off standard output: that is for a command's answer."""
    if structlog.is_configured():
        yield
        return
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    try:
        yield
    finally:
        structlog.reset_defaults()


def _settings() -> EventLogSettings:
    try:
        return EventLogSettings()
    except ValidationError as e:
        findings = tuple(
            f"COPILOT_{'_'.join(map(str, f['loc'])).upper()}: {f['msg']}"
            for f in e.errors(include_url=False)
        )
        raise Rejected(
            "; ".join(findings),
            code="settings",
            where="environment",
            findings=findings,
            todo="see docs/reference/settings.md",
        ) from e
