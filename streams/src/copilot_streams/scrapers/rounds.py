"""One cluster's rounds: wait for the slot, scrape it, hand the sample on.

Theory of operation. A round belongs to an aligned slot and begins `settle_s` after it, when the
backend has what was scraped up to the slot's instant. Metrics and logs of a cluster have rounds of
their own, so neither waits for the other, and no cluster waits for another. A round that runs late
(the machine slept) goes on with the newest slot and counts those it skipped. A defect in one
cluster's round is logged and counted, and its sample says SCRAPE_FAILED: it must not blind the
other clusters.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

import structlog
from whenever import Instant

from copilot_core.readings import Missing
from copilot_core.samples import LogSample, Sample, all_missing
from copilot_service import Service
from copilot_streams.scrapers.backend import Failure
from copilot_streams.scrapers.loki import LogScraped
from copilot_streams.scrapers.meters import Meters
from copilot_streams.scrapers.prometheus import Scraped, log_failures

log = structlog.get_logger(__name__)

Kind = Literal["sample", "log_sample"]


@dataclass(frozen=True, slots=True)
class Round:
    """What is scraped again and again: of which cluster, how often, how long after the slot.

    `source` is what a sample names as its maker when scraping breaks.
    """

    cluster: str
    kind: Kind
    source: str
    interval_s: int
    settle_s: float
    scrape: Callable[[int], Awaitable[Scraped | LogScraped]]


class Rounds:
    """Runs the rounds of one cluster and kind until it is told to stop.

    `put` takes each sample; `now` is the clock that slots are told by.
    """

    def __init__(
        self,
        round_: Round,
        put: Callable[[Sample | LogSample], None],
        service: Service,
        meters: Meters,
        *,
        now: Callable[[], Instant] = Instant.now,
    ) -> None:
        self._round = round_
        self._put = put
        self._service = service
        self._meters = meters
        self._now = now
        self._stop = asyncio.Event()
        self._slot = next_slot(now(), round_)

    def on_time(self) -> bool:
        """True unless the slot that is waited for or scraped should have been over long ago."""
        return _unix(self._now()) < self._slot + 2 * self._round.interval_s + self._round.settle_s

    def stop(self) -> None:
        """End after the slot that is being scraped, if any."""
        self._stop.set()

    async def run(self) -> None:
        """Scrape slot after slot."""
        round_ = self._round
        while await self._slept_until(self._slot + round_.settle_s):
            due = next_slot(self._now(), round_) - round_.interval_s
            if due > self._slot:
                self._skipped(self._slot, due)
                self._slot = due
            self._put(await self._scrape(self._slot))
            self._slot += round_.interval_s

    async def _slept_until(self, at: float) -> bool:
        """Sleep until a Unix time; False when told to stop meanwhile."""
        try:
            async with asyncio.timeout(max(0.0, at - _unix(self._now()))):
                await self._stop.wait()
        except TimeoutError:
            return True
        return False

    async def _scrape(self, slot: int) -> Sample | LogSample:
        round_ = self._round
        began = time.monotonic()
        try:
            scraped = await round_.scrape(slot)
        except Exception:
            self._service.unexpected.labels("scrape").inc()
            log.exception("scrape broke", cluster=round_.cluster, slot=slot)
            return self._nothing(slot)
        self._meters.scrape_seconds.labels(round_.kind).observe(time.monotonic() - began)
        self._meters.slots.labels(round_.cluster, round_.kind).inc()
        self._count(scraped.sample, scraped.failures)
        log_failures(round_.cluster, slot, scraped.failures)
        return scraped.sample

    def _nothing(self, slot: int) -> Sample | LogSample:
        round_, reason = self._round, Missing.SCRAPE_FAILED
        if round_.kind == "log_sample":
            return LogSample(
                cluster=round_.cluster,
                slot=slot,
                interval_s=round_.interval_s,
                counts=None,
                missing=reason,
            )
        return all_missing(
            reason,
            cluster=round_.cluster,
            slot=slot,
            interval_s=round_.interval_s,
            source=round_.source,
        )

    def _count(self, sample: Sample | LogSample, failures: dict[str, Failure]) -> None:
        cluster = self._round.cluster
        for failure in failures.values():
            self._meters.failures.labels(cluster, failure.cause).inc()
        readings = sample.readings if isinstance(sample, Sample) else (sample.missing,)
        for reading in readings:
            if isinstance(reading, Missing):
                self._meters.missing.labels(cluster, reading.name.lower()).inc()

    def _skipped(self, slot: int, due: int) -> None:
        round_ = self._round
        skipped = (due - slot) // round_.interval_s
        self._meters.skipped.labels(round_.cluster, round_.kind).inc(skipped)
        log.warning(
            "slots skipped: too late",
            cluster=round_.cluster,
            kind=round_.kind,
            first=slot,
            slots=skipped,
        )


def next_slot(now: Instant, round_: Round) -> int:
    """The first slot whose scraping time lies after `now`."""
    settled = _unix(now) - round_.settle_s
    return (int(settled // round_.interval_s) + 1) * round_.interval_s


def _unix(at: Instant) -> float:
    return at.timestamp(unit="nanosecond") / 1e9
