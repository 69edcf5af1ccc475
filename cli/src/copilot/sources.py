"""Where samples of the past come from: a recording, or the history in a Prometheus and a Loki.

All are read slot by slot, so a year needs no more memory than a day.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
from botocore.session import Session
from whenever import Instant

from copilot_core.errors import Rejected
from copilot_core.samples import Input
from copilot_streams.history import History
from copilot_streams.log_history import LogHistory
from copilot_streams.recorder import record
from copilot_streams.recording import Header, open_recording
from copilot_streams.scrapers.amp import AmpAuth
from copilot_streams.scrapers.backend import Backend, client_for
from copilot_streams.scrapers.loki import LogSelection
from copilot_streams.spans import Span, span_of

RANGE_TIMEOUT_S: Final = 60.0
RANGE_BYTES: Final = 32 * 1024 * 1024
"""A day of one signal at 30 s is about 100 kB of JSON; beyond this it is no answer to our query."""

_HTTP: Final = re.compile(r"https?://[^\s/?#]+(/[^\s?#]*)?")
_AMP: Final = re.compile(r"https://aps-workspaces\.([a-z0-9-]+)\.amazonaws\.com/")


@dataclass(frozen=True, slots=True)
class Logs:
    """Which streams of which Loki belong to the cluster, and their label for the service."""

    url: str
    selector: str
    service_label: str


@dataclass(frozen=True, slots=True)
class Past:
    """What to read, of which backend, from one instant to another, both included."""

    prometheus: str
    cluster: str
    from_: Instant
    to: Instant
    interval_s: int
    scrape_interval_s: int
    logs: Logs | None = None

    @property
    def span(self) -> Span:
        """The slots; raises `Rejected` when there is none."""
        return span_of(self.from_.timestamp(), self.to.timestamp(), self.interval_s)


@asynccontextmanager
async def _backend(url: str) -> AsyncGenerator[Backend]:
    """A backend by its address; Amazon Managed Prometheus is known by it and gets signatures."""
    if not _HTTP.fullmatch(url):
        raise Rejected(
            f"{url!r} is not the address of a metrics or log backend",
            code="bad_url",
            todo="write it with its scheme and without a query: http://prometheus:9090",
        )
    workspace = _AMP.match(url)
    auth: httpx.Auth | None = AmpAuth(Session(), region=workspace[1]) if workspace else None
    async with client_for(url, auth=auth) as client:
        yield Backend(client, timeout_s=RANGE_TIMEOUT_S, max_bytes=RANGE_BYTES)


@asynccontextmanager
async def _history(past: Past) -> AsyncGenerator[History]:
    async with _backend(past.prometheus) as backend:
        yield History(
            backend, past.span, cluster=past.cluster, scrape_interval_s=past.scrape_interval_s
        )


async def messages_from_prometheus(past: Past) -> AsyncIterator[Input]:
    """One sample per slot, in order; raises what `History.samples` raises."""
    async with _history(past) as history:
        async for sample in history.samples():
            yield sample


async def messages_from_recording(path: Path, cluster: str | None) -> AsyncIterator[Input]:
    """The messages of a recording, as of `cluster` when one is given; raises `Rejected`."""
    with open_recording(path) as recording:
        for message in recording:
            yield message if cluster is None else message.model_copy(update={"cluster": cluster})


async def record_past(past: Past, out: Path) -> Header:
    """Write a recording of the past to `out`; raises what reading the backends raises."""
    async with _history(past) as history:
        if past.logs is None:
            return await record(history, out, source=past.prometheus)
        selection = LogSelection(past.logs.selector, past.logs.service_label)
        async with _backend(past.logs.url) as loki:
            told = LogHistory(loki, selection, past.span, cluster=past.cluster)
            source = f"{past.prometheus} {past.logs.url}"
            return await record(history, out, source=source, logs=told.samples())
