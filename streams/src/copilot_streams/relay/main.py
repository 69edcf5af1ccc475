"""The relay process: `copilot run relay`, or `python -m copilot_streams.relay.main`."""

from __future__ import annotations

import sys
from typing import Final

from copilot_core.samples import EVENTS_TOPIC
from copilot_eventlog.postgres import open_log
from copilot_eventlog.protocol import EventLog
from copilot_service import Service, run_process
from copilot_service.following import follow
from copilot_streams.incarnation import topic_life
from copilot_streams.kafka import producing
from copilot_streams.relay.publisher import Publisher
from copilot_streams.relay.settings import RelaySettings

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
        await service.until_stopped(
            follow(
                service,
                publisher,
                condition="publishing",
                pause_max_s=PAUSE_MAX_S,
                refresh_s=REFRESH_S,
                patience_s=settings.relay_patience_s,
            )
        )


def main() -> int:
    """Run the relay that the environment describes; returns the exit code."""
    return run_process("relay", RelaySettings, run_relay)


if __name__ == "__main__":
    sys.exit(main())
