"""The recording's way onto the samples topic: served as a Prometheus, scraped slot by slot."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiokafka.errors import KafkaError
from whenever import Instant

from copilot.replayed_prometheus import serving
from copilot_core.errors import Unavailable
from copilot_core.samples import SAMPLES_TOPIC, LogSample, Sample, encode
from copilot_core.signals import Installation
from copilot_streams.kafka import KafkaSettings, producing
from copilot_streams.recording import open_recording
from copilot_streams.scrapers.backend import Backend, client_for
from copilot_streams.scrapers.dialects import DialectMemory
from copilot_streams.scrapers.prometheus import PrometheusScraper

WEEK_S: Final = 7 * 24 * 3600
SCRAPE_INTERVAL_S: Final = 15
QUERY_TIMEOUT_S: Final = 10.0
SLOT_DEADLINE_S: Final = 30.0
CONCURRENCY: Final = 4
MAX_ANSWER_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Incident:
    """A recording in memory, in event time: 36 slots are 100 kB.

    `earlier_by_s` is how far it was moved back to lie behind this machine's clock.
    """

    path: Path
    cluster: str
    interval_s: int
    installation: Installation
    messages: tuple[Sample | LogSample, ...]
    earlier_by_s: int

    @property
    def samples(self) -> list[Sample]:
        """The metric samples, in slot order."""
        return [m for m in self.messages if isinstance(m, Sample)]


def read_incident(path: Path, *, now: Instant) -> Incident:
    """Read a recording, moved back by whole weeks while it lies ahead of this machine's clock.

    The worker refuses slots from the future, so on a machine whose clock is behind the recording it
    could not be played as it is. Raises `Rejected` for what is no recording.
    """
    with open_recording(path) as recording:
        header = recording.header
        earlier_by_s = -min(0, (now.timestamp() - header.to) // WEEK_S * WEEK_S)
        messages = tuple(
            m.model_copy(update={"slot": m.slot - earlier_by_s}) if earlier_by_s else m
            for m in recording
        )
    told = header.installation
    installation = Installation(told.server, told.sdk, told.dsql, told.instance_label)
    return Incident(path, header.cluster, header.interval_s, installation, messages, earlier_by_s)


async def play(
    incident: Incident, kafka: KafkaSettings, *, speed: float, played: Callable[[int, int], None]
) -> int:
    """Scrape every slot and send what was seen; returns how many messages were sent.

    `speed` is slots' time over ours, 0 for no pauses. `played` is told the number of slots that are
    done and the slot. Raises `Unavailable` when the broker does not take a message.
    """
    pause_s = incident.interval_s / speed if speed else 0.0
    logs = {m.slot: m for m in incident.messages if isinstance(m, LogSample)}
    sent = 0
    with serving(
        incident.samples, incident.installation, scrape_interval_s=SCRAPE_INTERVAL_S
    ) as url:
        async with client_for(url, connections=CONCURRENCY) as client, producing(kafka) as producer:
            scraper = _scraper(
                Backend(client, timeout_s=QUERY_TIMEOUT_S, max_bytes=MAX_ANSWER_BYTES), incident
            )
            began = time.monotonic()
            for number, slot in enumerate((s.slot for s in incident.samples), start=1):
                await asyncio.sleep(max(0.0, began + (number - 1) * pause_s - time.monotonic()))
                seen: list[Sample | LogSample] = [(await scraper.scrape(slot)).sample]
                if slot in logs:
                    seen.append(logs[slot])
                for message in seen:
                    try:
                        await producer.send_and_wait(
                            SAMPLES_TOPIC, encode(message), key=incident.cluster.encode()
                        )
                    except KafkaError as e:
                        raise Unavailable(
                            f"the broker takes no samples: {type(e).__name__}", where=SAMPLES_TOPIC
                        ) from e
                    sent += 1
                played(number, slot)
    return sent


def _scraper(backend: Backend, incident: Incident) -> PrometheusScraper:
    """The production scraper, told nothing but where to ask: dialects are probed."""
    return PrometheusScraper(
        backend,
        DialectMemory(
            cluster=incident.cluster,
            server=None,
            sdk=None,
            instance_label=incident.installation.instance_label,
            again_s=600,
        ),
        cluster=incident.cluster,
        source="recording",
        interval_s=incident.interval_s,
        scrape_interval_s=SCRAPE_INTERVAL_S,
        concurrency=CONCURRENCY,
        deadline_s=SLOT_DEADLINE_S,
    )
