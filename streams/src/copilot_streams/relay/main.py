"""The relay process: `copilot run relay`, or `python -m copilot_streams.relay.main`."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Final

import stamina

from copilot_core.errors import Unavailable
from copilot_core.samples import EVENTS_TOPIC
from copilot_eventlog.postgres import open_log
from copilot_eventlog.protocol import EventLog
from copilot_service import Service, run_process
from copilot_streams.incarnation import topic_life
from copilot_streams.kafka import producing
from copilot_streams.relay.publisher import Publisher
from copilot_streams.relay.settings import RelaySettings

PAUSE_MIN_S: Final = 0.02
PAUSE_MAX_S: Final = 0.5
"""The pause doubles while nothing comes: an idle shard costs two small reads a second, and the
first event after a silence waits half a second at the most."""
REFRESH_S: Final = 5.0


async def run_relay(service: Service, settings: RelaySettings) -> None:
    """Publish until the service stops, from the log that the settings name."""
    log = await open_log(settings)
    try:
        await relay(service, settings, log)
    finally:
        await log.close()


async def relay(service: Service, settings: RelaySettings, log: EventLog) -> None:
    """Publish until the service stops, from a log that somebody else opened and closes."""
    async with producing(settings) as producer:
        life = await topic_life(settings, EVENTS_TOPIC)
        publisher = Publisher(
            log,
            producer,
            service.registry,
            samples=settings.relay_samples,
            partitions=life.partitions,
        )
        await service.until_stopped(_publish(service, publisher, settings.relay_patience_s))


async def _publish(service: Service, publisher: Publisher, patience_s: float) -> None:
    """Publish for ever: at once while events come, with growing pauses while none do."""
    pause_s, refreshed_at = PAUSE_MIN_S, float("-inf")
    while True:
        refresh = time.monotonic() - refreshed_at > REFRESH_S
        refreshed_at = time.monotonic() if refresh else refreshed_at
        moved = await _pass(service, publisher, patience_s, refresh=refresh)
        service.progress()
        pause_s = PAUSE_MIN_S if moved else min(2 * pause_s, PAUSE_MAX_S)
        await asyncio.sleep(0 if moved else pause_s)


async def _pass(service: Service, publisher: Publisher, patience_s: float, *, refresh: bool) -> int:
    """One pass over all shards, tried again while the log or the broker is away."""
    moved = 0
    async for attempt in stamina.retry_context(
        on=Unavailable, attempts=None, timeout=patience_s, wait_initial=0.2, wait_max=2.0
    ):
        with attempt:
            try:
                if refresh:
                    await publisher.refresh()
                moved = await publisher.step()
            except Unavailable as e:
                service.set_ready("publishing", False, why=e.what)
                raise
    service.set_ready("publishing", True)
    return moved


def main() -> int:
    """Run the relay that the environment describes; returns the exit code."""
    return run_process("relay", RelaySettings, run_relay)


if __name__ == "__main__":
    sys.exit(main())
