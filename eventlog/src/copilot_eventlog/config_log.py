"""Changes of configuration in the log: the stream `config/<cluster>`, for one who writes seldom.

Theory of operation. Nobody owns this stream as a worker owns its shard: a deployment writes one
event and is gone, and two may do so at once. So the lock is optimistic. A writer reads the last
event, decides, and appends the *next version*; a version happens once in a stream, and whoever
comes second is told (`Conflict`), never written over.

The events of all clusters lie in one shard of their own, `CONFIG_SHARD`, taken over for one append:

    read       is the version the next one?                              else the look below
    take over  the shard's epoch goes up; a rival's append is fenced
    append     the event and the head, or nothing
    look       what does the log hold at this version?
                 our very bytes    done, also when the answer of the append was lost
                 other bytes       a conflict
                 nothing           fenced: take over again, a bounded number of times
                                   else what the append said

So an answer that was lost is looked for, not guessed. Should the database be away for longer than
that, `Unavailable` is raised, and doing it all again is safe: a profile that is in force already
makes no event.
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

import stamina
import structlog
from pydantic import ValidationError

from copilot_core.errors import Conflict, Defect, Fenced, Rejected, Unavailable
from copilot_core.events import ConfigChanged, NewEvent, RecordedEvent, new_event
from copilot_eventlog.postgres import open_log
from copilot_eventlog.protocol import DIRECT_SHARDS, EventLog
from copilot_eventlog.settings import EventLogSettings

CONFIG_SHARD: Final = DIRECT_SHARDS
SOURCE: Final = "direct/config"
"""Source in the shard's head: its events come from no topic, and no offset is counted."""
NO_OFFSET: Final = -1

TAKE_OVERS: Final = 8
PAUSE_S: Final = 0.02
"""First pause of a writer that was fenced; an append takes some milliseconds."""
GIVE_UP_S: Final = 5.0


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
    newest = await last(log, cluster)
    following = newest.version + 1 if newest else 1
    if version != following:
        if found := await _recorded(log, new):
            return found
        raise Defect(f"{new.stream}: version {version}, the next one is {following}")
    try:
        async for attempt in stamina.retry_context(
            on=Fenced, attempts=TAKE_OVERS, timeout=GIVE_UP_S, wait_initial=PAUSE_S, wait_max=0.5
        ):
            with attempt:
                return await _append_once(log, new, writer)
    except Fenced as e:
        raise Unavailable(
            f"{TAKE_OVERS} times another writer came in between",
            where=f"append to shard {CONFIG_SHARD}",
            todo="emit again when the others are done",
        ) from e
    raise AssertionError("retrying ends with a result or an error")


async def _append_once(log: EventLog, new: NewEvent, writer: str) -> RecordedEvent:
    try:
        head = await log.take_over(CONFIG_SHARD, writer=writer, source=SOURCE)
        await log.append(head, [new], source_offset=NO_OFFSET)
    except (Conflict, Unavailable):
        if found := await _recorded(log, new):
            return found
        raise
    found = await _recorded(log, new)
    if found is None:
        raise Defect(f"{new.stream}#{new.version} was appended and is not there")
    return found


async def _recorded(log: EventLog, new: NewEvent) -> RecordedEvent | None:
    """The event if the log holds it; None when its version is free; `Conflict` when it is not."""
    found = await log.read_stream(new.stream, after=new.version - 1, limit=1)
    if not found:
        return None
    if found[0].payload != new.payload:
        raise Conflict(
            f"somebody else changed this configuration first: version {new.version} was recorded"
            f" at {found[0].recorded_at.format_iso()}",
            where=new.stream,
            todo="look at what was emitted, then compile and emit again",
        )
    return found[0]


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
