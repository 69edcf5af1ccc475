"""Faust as this line needs it: it asks our log where to go on, and keeps no state of its own.

Faust's committed offsets skip messages that were never dealt with, so they decide nothing here. The
one thing that is overridden is `perform_seek`, which runs after `on_rebalance_complete` and before
messages flow: it seeks to the offsets that the heads of the log name.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import faust
import structlog
from aiokafka.errors import KafkaError
from faust.tables.manager import TableManager
from faust.transport.drivers.aiokafka import Consumer, Transport

from copilot_core.errors import Defect
from copilot_streams.kafka import KafkaSettings, broker_away

STOP_TIMEOUT_S: Final = 6.0

_FAUST_LOGGER = logging.getLogger("faust.app")
"""Faust gives a subclass the logger of its module; its lines are Faust's all the same."""

log_ = structlog.get_logger(__name__)

Wanted = Callable[[], Mapping[int, int]]
"""Gives the offset to go on at, by partition, for the partitions that are owned now."""


class NoTables(TableManager):
    """Faust waits a second at the start for tables to register; here none ever does.

    That second would be a third of the time a killed worker takes to come back.
    """

    logger = _FAUST_LOGGER

    async def on_start(self) -> None:
        """Go on at once."""
        await self._update_channels()
        await self.recovery.start()


class LogApp(faust.App):
    """A Faust app without tables, and so without the folders it would make for them."""

    logger = _FAUST_LOGGER

    async def on_first_start(self) -> None:
        """Make no folders."""


def build_app(
    settings: KafkaSettings, *, group: str, member: str, session_timeout_s: float
) -> LogApp:
    """The app of one worker: `member` is its static id, unique among running workers.

    Must be called inside the event loop that will run it.
    """
    return LogApp(
        group,
        **settings.faust_options(),
        store="memory://",
        TableManager=NoTables,
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        consumer_auto_offset_reset="earliest",
        consumer_group_instance_id=member,
        broker_session_timeout=session_timeout_s,
        broker_heartbeat_interval=session_timeout_s / 6,
        broker_request_timeout=max(15.0, session_timeout_s),
        broker_commit_interval=1.0,
        stream_wait_empty=False,
        loop=asyncio.get_running_loop(),
    )


@asynccontextmanager
async def running(
    app: LogApp, settings: KafkaSettings, *, topic: str, wanted: Wanted
) -> AsyncGenerator[None]:
    """Run the app inside this loop, seeking to `wanted` after every rebalance of `topic`.

    Raises `Unavailable` when no broker answers at the start.
    """
    app.finalize()
    app.transport = _seeking(topic, wanted)(app.conf.broker_consumer, app, loop=app.loop)
    try:
        await app.start()
    except KafkaError as e:
        raise broker_away(settings, e) from e
    try:
        yield
    finally:
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await app.stop()
        except TimeoutError:
            log_.warning("Faust did not stop in time", limit_s=STOP_TIMEOUT_S)


def _seeking(topic: str, wanted: Wanted) -> type[Transport]:
    class LogConsumer(Consumer):
        logger = _FAUST_LOGGER

        async def perform_seek(self) -> None:
            offsets = wanted()
            positions: dict[Any, int] = {
                tp: offsets[tp.partition]
                for tp in self.assignment()
                if tp.topic == topic and tp.partition in offsets
            }
            self._committed_offset.update(positions)
            if positions:
                await self.seek_wait(positions)
            self._read_offset.update({tp: offset or None for tp, offset in positions.items()})

    class LogTransport(Transport):
        Consumer = LogConsumer

    return LogTransport


async def crash_of(app: LogApp, settings: KafkaSettings) -> None:
    """Wait until the app stops by itself, and raise why."""
    await app.wait_until_stopped()
    match app.crash_reason:
        case None:
            raise Defect("Faust stopped without a reason", where=app.conf.id)
        case KafkaError() as e:
            raise broker_away(settings, e) from e
        case reason:
            raise reason
