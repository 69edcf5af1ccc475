"""Counted log patterns of one slot, asked of a Loki: one `LogSample` per slot, whatever happens.

Theory of operation. Each row of the log pattern table is one metric query: how many lines of each
service contained it in the slot's interval, `(slot - interval, slot]`. Loki answers only services
that had such a line; since every query of the slot was answered, the others are zero and left out.
One query that fails leaves the whole slot without counts, with the reason: half of the patterns at
zero would be a lie.

The text of lines stays in Loki. The five commonest pairs of service and pattern show one line each,
guarded (`copilot_core.guarding.guard`), cut, named untrusted: for people, and for nobody else.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from copilot_core.guarding.guard import Sink, guard
from copilot_core.logpatterns import LOG_PATTERNS, PATTERNS_BY_ID, LogPattern, line_filter
from copilot_core.samples import EXCERPT_CHARS, NAME_CHARS, LogExcerpt, LogSample
from copilot_streams.scrapers.backend import Backend, Failure, failed, late

INSTANT_QUERY: Final = "loki/api/v1/query"
RANGE_QUERY: Final = "loki/api/v1/query_range"

MAX_SERVICES: Final = 64
"""Services counted by name in one slot; the quietest beyond that are counted as `OTHERS`."""
OTHERS: Final = "(others)"
MAX_EXCERPTS: Final = 5

Counts = dict[str, dict[str, int]]
"""Service to pattern id to number of lines; zero counts are left out."""


@dataclass(frozen=True, slots=True)
class LogSelection:
    """Which streams belong to a cluster, and which of their labels names the service."""

    selector: str
    service_label: str

    def count(self, pattern: LogPattern, range_s: int) -> str:
        """LogQL: lines with the pattern in the last `range_s` seconds, by service."""
        return (
            f"sum by ({self.service_label})"
            f" (count_over_time({self.selector} {line_filter(pattern)} [{range_s}s]))"
        )

    def lines(self, pattern: LogPattern, service: str) -> str:
        """LogQL: the lines of one service with the pattern."""
        one_service = f"{self.service_label}={json.dumps(service, ensure_ascii=False)}"
        return f"{self.selector.rstrip().removesuffix('}')},{one_service}}} {line_filter(pattern)}"


@dataclass(frozen=True, slots=True)
class LogScraped:
    """A log sample, and the failures behind what it lacks, by pattern id."""

    sample: LogSample
    failures: dict[str, Failure]


class LokiScraper:
    """Asks one Loki about one cluster.

    `concurrency` bounds the queries in flight, `deadline_s` the time for the counts of one slot.
    """

    def __init__(
        self,
        backend: Backend,
        selection: LogSelection,
        *,
        cluster: str,
        interval_s: int,
        concurrency: int,
        deadline_s: float,
    ) -> None:
        self._backend = backend
        self._selection = selection
        self._cluster = cluster
        self._interval_s = interval_s
        self._concurrency = asyncio.Semaphore(concurrency)
        self._deadline_s = deadline_s

    async def scrape(self, slot: int) -> LogScraped:
        """What the logs of `(slot - interval, slot]` contain. Never raises."""
        answers: dict[str, dict[str, int] | Failure] = {}
        excerpts: tuple[LogExcerpt, ...] = ()
        try:
            async with asyncio.timeout(self._deadline_s):
                await self._count_all(slot, answers)
                counts = _by_service(answers)
                if not isinstance(counts, Failure):
                    excerpts = await self._excerpts(slot, counts)
        except TimeoutError:
            counts = _by_service(answers)
        failures = {i: answer for i, answer in answers.items() if isinstance(answer, Failure)}
        lost = isinstance(counts, Failure)
        sample = LogSample(
            cluster=self._cluster,
            slot=slot,
            interval_s=self._interval_s,
            counts=None if lost else counts,
            missing=counts.reason if lost else None,
            excerpts=excerpts,
        )
        return LogScraped(sample, failures)

    async def _count_all(self, slot: int, answers: dict[str, dict[str, int] | Failure]) -> None:
        async def count(pattern: LogPattern) -> None:
            query = self._selection.count(pattern, self._interval_s)
            async with self._concurrency:
                data = await self._backend.ask(
                    INSTANT_QUERY, {"query": query, "time": str(slot)}, method="GET"
                )
            answers[pattern.id] = (
                data if isinstance(data, Failure) else counted(data, self._selection.service_label)
            )

        async with asyncio.TaskGroup() as group:
            for pattern in LOG_PATTERNS:
                group.create_task(count(pattern))

    async def _excerpts(self, slot: int, counts: Counts) -> tuple[LogExcerpt, ...]:
        """One raw line for each of the commonest pairs, where it can be had."""
        excerpts = []
        for service, pattern_id in commonest(counts):
            form = {
                "query": self._selection.lines(PATTERNS_BY_ID[pattern_id], service),
                # count_over_time leaves the beginning of its range out, a line query its end
                "start": f"{slot - self._interval_s}000000001",
                "end": f"{slot}000000001",
                "limit": "1",
                "direction": "backward",
            }
            async with self._concurrency:
                data = await self._backend.ask(RANGE_QUERY, form, method="GET")
            line = None if isinstance(data, Failure) else first_line(data)
            if line is not None:
                excerpts.append(excerpt(service, pattern_id, line))
        return tuple(excerpts)


def counted(data: Mapping[str, object], service_label: str) -> dict[str, int] | Failure:
    """Service to count, from the `data` of an instant metric query."""
    result = data.get("result")
    if data.get("resultType") != "vector" or not isinstance(result, list):
        return failed("wrong_shape", f"resultType {data.get('resultType')!r}, vector expected")
    counts: dict[str, int] = {}
    for series in result:
        match series:
            case {"metric": {**labels}, "value": [_, str() as text]} if text.isdecimal():
                service = guard(str(labels.get(service_label, "")), Sink.METRIC, limit=NAME_CHARS)
                counts[service] = counts.get(service, 0) + int(text)
            case _:
                return failed("wrong_shape", f"not a count: {series!r:.80}")
    return counts


def first_line(data: Mapping[str, object]) -> str | None:
    """The text of the first line in the `data` of a line query, None where there is none."""
    match data:
        case {"resultType": "streams", "result": [{"values": [[_, str() as line, *_], *_]}, *_]}:
            return line
        case _:
            return None


def excerpt(service: str, pattern_id: str, line: str) -> LogExcerpt:
    """One line as it may be kept: guarded, on one line, cut."""
    text = guard(line, Sink.EVENT, limit=EXCERPT_CHARS)
    return LogExcerpt(service=service, pattern=pattern_id, untrusted_text=text)


def commonest(counts: Counts) -> list[tuple[str, str]]:
    """The pairs of service and pattern id with the highest counts, at most five, ties by name."""
    pairs = [
        (-count, service, pattern_id)
        for service, by_pattern in counts.items()
        if service != OTHERS
        for pattern_id, count in by_pattern.items()
    ]
    return [(service, pattern_id) for _, service, pattern_id in sorted(pairs)[:MAX_EXCERPTS]]


def _by_service(answers: Mapping[str, dict[str, int] | Failure]) -> Counts | Failure:
    """Turn the answers by pattern into counts by service, or say which failure spoils the slot."""
    counts: Counts = {}
    for pattern in LOG_PATTERNS:
        answer = answers.get(
            pattern.id, late("deadline", "not answered before the slot's deadline")
        )
        if isinstance(answer, Failure):
            return answer
        for service, count in answer.items():
            if count:
                counts.setdefault(service, {})[pattern.id] = count
    return bounded(counts)


def bounded(counts: Counts) -> Counts:
    """At most `MAX_SERVICES` services by name, sorted; the quietest ones added up as one."""
    if len(counts) > MAX_SERVICES:
        loudest = sorted(counts, key=lambda s: (-sum(counts[s].values()), s))
        others: dict[str, int] = {}
        for service in loudest[MAX_SERVICES - 1 :]:
            for pattern_id, count in counts[service].items():
                others[pattern_id] = others.get(pattern_id, 0) + count
        counts = {s: counts[s] for s in loudest[: MAX_SERVICES - 1]} | {OTHERS: others}
    return {service: counts[service] for service in sorted(counts)}
