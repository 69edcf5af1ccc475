"""Structured logs: one line per fact, the same form for our lines and for those of libraries.

Lines go to stderr, as JSON objects or, for eyes, coloured when stderr is a terminal. Libraries that
write the same line a thousand times a minute while a broker is away (aiokafka does) are held to a
few lines per minute and message; the next line that passes says how many were suppressed.

Whatever a line says passes the guard (`copilot_core.guarding.guard`) last of all, tracebacks
included: errors of libraries repeat addresses and passwords.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Mapping
from typing import Final

import structlog

from copilot_core.guarding.guard import Sink, guard, guard_named
from copilot_service.settings import LogFormat, LogLevel

CHATTY_LOGGERS: Final = (
    "aiokafka",
    "kafka",
    "faust",
    "mode",
    "asyncio",
    "asyncpg",
    "httpx",
    "botocore",
)
"""Libraries whose lines are rate-limited; aiokafka writes about 1,500 ERROR lines a minute while
its broker is down."""

QUIET_LOGGERS: Final = (
    "aiohttp.access",
    "aiokafka",
    "botocore",
    "faust",
    "httpcore",
    "httpx",
    "mode",
)
"""Libraries that tell every call and every step of a start at INFO: their warnings are enough,
unless the level is debug."""

LINES_PER_PERIOD: Final = 5
PERIOD_S: Final = 60.0

MAX_DEPTH: Final = 4
"""Fields in fields of a line beyond this are written as their text."""


class RateLimit(logging.Filter):
    """Lets at most `lines` lines per `period_s` pass for each message template of a chatty logger.

    The template, not the formatted text, is what counts: "node 3 down" and "node 4 down" are one.
    A suppressed line is counted, and the next one that passes carries the count as `suppressed`.
    """

    def __init__(
        self,
        *,
        lines: int = LINES_PER_PERIOD,
        period_s: float = PERIOD_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._lines = lines
        self._period_s = period_s
        self._clock = clock
        self._seen: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """True when the line may be written."""
        if record.name.partition(".")[0] not in CHATTY_LOGGERS:
            return True
        key = (record.name, str(record.msg))
        now = self._clock()
        since, count = self._seen.get(key, (now, 0))
        if now - since >= self._period_s:
            if count > self._lines:
                record.suppressed = count - self._lines
            since, count = now, 0
        if len(self._seen) > 1000:  # templates built from f-strings must not grow this for ever
            self._seen.clear()
        self._seen[key] = (since, count + 1)
        return count < self._lines


def configure_logs(
    process: str, *, level: LogLevel = LogLevel.INFO, format_: LogFormat = LogFormat.JSON
) -> None:
    """Set up structlog and the standard library's logging for this process; may be called again.

    Every line carries `process`, `level`, `at` (RFC 3339, UTC), `logger` and `event`.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        structlog.stdlib.ExtraAdder(allow=["suppressed"]),
        structlog.stdlib.PositionalArgumentsFormatter(),
        _named(process),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(RateLimit())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                guarded,
                _rendering(format_),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    quiet = logging.NOTSET if level is LogLevel.DEBUG else logging.WARNING
    for name in QUIET_LOGGERS:
        logging.getLogger(name).setLevel(quiet)


def _named(process: str) -> structlog.typing.Processor:
    def add(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        event.setdefault("process", process)
        return event

    return add


def _rendering(format_: LogFormat) -> structlog.typing.Processor:
    if format_ is LogFormat.JSON:
        return structlog.processors.JSONRenderer()
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())


_OURS: Final = frozenset(("at", "level", "logger", "process"))
"""Fields that `configure_logs` writes: no foreign word is in them."""


def guarded(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """A line without secrets and without tricks: the last step before it is written."""
    return {
        name: value if name in _OURS else _guarded(name, value, depth=0)
        for name, value in event.items()
    }


def _guarded(name: str, value: object, *, depth: int) -> object:
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return guard_named(name, value, Sink.LOG)
        case Mapping() if depth < MAX_DEPTH:
            return {
                guard(str(key), Sink.METRIC): _guarded(str(key), inner, depth=depth + 1)
                for key, inner in value.items()
            }
        case list() | tuple() | set() | frozenset() if depth < MAX_DEPTH:
            return [_guarded(name, inner, depth=depth + 1) for inner in value]
        case _:
            return guard_named(name, str(value), Sink.LOG)
