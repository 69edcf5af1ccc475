"""Where samples of the past come from: a recording, or the history in a Prometheus.

Both are read slot by slot, so a year needs no more memory than a day.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from whenever import Instant

from copilot_core.samples import Input
from copilot_streams.history import History
from copilot_streams.recording import open_recording
from copilot_streams.scrapers.backend import Backend, client_for
from copilot_streams.spans import span_of

RANGE_TIMEOUT_S: Final = 60.0
RANGE_BYTES: Final = 32 * 1024 * 1024
"""A day of one signal at 30 s is about 100 kB of JSON; beyond this it is no answer to our query."""


@dataclass(frozen=True, slots=True)
class Past:
    """What to read of which backend: the instants are Unix seconds, both included."""

    prometheus: str
    cluster: str
    from_: Instant
    to: Instant
    interval_s: int
    scrape_interval_s: int
    loki: str | None = None


@asynccontextmanager
async def history(past: Past) -> AsyncGenerator[History]:
    """The history of one cluster; its connections are closed when the block ends."""
    span = span_of(past.from_.timestamp(), past.to.timestamp(), past.interval_s)
    async with client_for(past.prometheus) as client:
        backend = Backend(client, timeout_s=RANGE_TIMEOUT_S, max_bytes=RANGE_BYTES)
        yield History(backend, span, cluster=past.cluster, scrape_interval_s=past.scrape_interval_s)


async def messages_from_prometheus(past: Past) -> AsyncIterator[Input]:
    """One sample per slot, in order; raises what `History.samples` raises."""
    async with history(past) as told:
        async for sample in told.samples():
            yield sample


async def messages_from_recording(path: Path, cluster: str | None) -> AsyncIterator[Input]:
    """The messages of a recording, as of `cluster` when one is given; raises `Rejected`."""
    with open_recording(path) as recording:
        for message in recording:
            yield message if cluster is None else message.model_copy(update={"cluster": cluster})
