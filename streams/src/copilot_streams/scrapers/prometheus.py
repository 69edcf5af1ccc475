"""The signal table at one instant, asked of a Prometheus: one `Sample` per slot, whatever happens.

Theory of operation. A slot is an aligned instant. All rows are asked concurrently, a few at a time,
with `time=<slot>`, so two scrapers of one cluster ask the same question and a late scraper asks the
question it would have asked in time. Three clocks bound it: each query has a timeout, the slot has
a deadline, and what is not answered by then is `TIMED_OUT`. Rows are asked in table order, so what
decides is asked first. There is always a sample; no reading has a default:

    one finite number          the reading, rounded
    empty                      NO_SERIES
    NaN, infinite              NOT_A_NUMBER
    no query for this dialect  NO_SOURCE
    refused, broken, nonsense  SCRAPE_FAILED
    late                       TIMED_OUT
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

import structlog

from copilot_core.readings import Missing, Reading
from copilot_core.samples import Sample, sample_of
from copilot_core.signals import SIGNALS, Family, rate_window_s
from copilot_streams.scrapers.answers import instant_reading
from copilot_streams.scrapers.backend import Backend, Failure, late
from copilot_streams.scrapers.dialects import DialectMemory

log = structlog.get_logger(__name__)

INSTANT_QUERY: Final = "api/v1/query"
NAMED: Final = 10
"""How many signals a log line names; the rest is a number."""


@dataclass(frozen=True, slots=True)
class Scraped:
    """A sample, and per signal that was asked in vain the failure behind its missing reading."""

    sample: Sample
    failures: dict[str, Failure]


class PrometheusScraper:
    """Asks one Prometheus-compatible backend about one cluster.

    `source` is what the samples name as their maker (`prometheus` or `amp`). `concurrency` bounds
    the queries in flight, `deadline_s` the time for one slot, probing included.
    """

    def __init__(
        self,
        backend: Backend,
        dialects: DialectMemory,
        *,
        cluster: str,
        source: str,
        interval_s: int,
        scrape_interval_s: int,
        concurrency: int,
        deadline_s: float,
    ) -> None:
        self._backend = backend
        self._dialects = dialects
        self._cluster = cluster
        self._source = source
        self._interval_s = interval_s
        self._window_s = rate_window_s(scrape_interval_s)
        self._concurrency = concurrency
        self._deadline_s = deadline_s

    async def scrape(self, slot: int) -> Scraped:
        """Everything that can be seen of the cluster at `slot` (Unix seconds). Never raises."""
        answers: dict[str, Reading | Failure] = {}
        try:
            async with asyncio.timeout(self._deadline_s):
                await self._collect(slot, answers)
        except TimeoutError:
            log.warning(
                "slot deadline passed",
                cluster=self._cluster,
                slot=slot,
                answered=len(answers),
                deadline_s=self._deadline_s,
            )
        return self._scraped(slot, answers)

    async def _collect(self, slot: int, answers: dict[str, Reading | Failure]) -> None:
        """Fill `answers`; what is in it when the deadline strikes is what was seen."""

        async def ask(query: str) -> Reading | Failure:
            return await self._ask(query, slot)

        view = await self._dialects.look(ask, slot)
        waiting: list[tuple[str, str]] = []
        for name, query in view.plan(self._window_s):
            if isinstance(query, Missing | Failure):
                answers[name] = query
            else:
                waiting.append((name, query))
        waiting.reverse()

        async def worker() -> None:
            while waiting:
                name, query = waiting.pop()
                answers[name] = await self._ask(query, slot)

        async with asyncio.TaskGroup() as group:
            for _ in range(min(self._concurrency, len(waiting))):
                group.create_task(worker())

    async def _ask(self, query: str, slot: int) -> Reading | Failure:
        data = await self._backend.ask(INSTANT_QUERY, {"query": query, "time": str(slot)})
        return data if isinstance(data, Failure) else instant_reading(data)

    def _scraped(self, slot: int, answers: dict[str, Reading | Failure]) -> Scraped:
        readings: dict[str, Reading] = {}
        failures: dict[str, Failure] = {}
        unasked = late("deadline", f"not answered within the slot's {self._deadline_s:g} s")
        for signal in SIGNALS:
            lost = Missing.NO_SOURCE if signal.family is Family.NONE else unasked
            answer = answers.get(signal.name, lost)
            if isinstance(answer, Failure):
                failures[signal.name] = answer
                answer = answer.reason
            readings[signal.name] = answer
        sample = sample_of(
            readings,
            cluster=self._cluster,
            slot=slot,
            interval_s=self._interval_s,
            source=self._source,
        )
        return Scraped(sample, failures)


def log_failures(cluster: str, slot: int, failures: dict[str, Failure]) -> None:
    """One line per distinct cause of a slot's failures, naming the signals or patterns it cost."""
    by_cause: dict[Failure, list[str]] = {}
    for name, failure in failures.items():
        by_cause.setdefault(failure, []).append(name)
    for failure, names in by_cause.items():
        log.warning(
            "not read",
            cluster=cluster,
            slot=slot,
            cause=failure.cause,
            detail=failure.detail,
            reading=failure.reason,
            names=names[:NAMED],
            names_total=len(names),
        )
