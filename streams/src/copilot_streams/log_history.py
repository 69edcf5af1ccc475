"""History of a Loki, read with range queries: the same counts a scraper would have made.

Theory of operation. As `history.py`, for the log pattern table: one range query per pattern and
chunk of slots, `[interval]` wide at steps of the interval. Loki allows 30 days per query; a chunk
is one day. A chunk that is too costly is halved; slots that are refused even alone are log samples
without counts. There are no excerpts: raw lines of the past stay where they are.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import Final

from copilot_core.errors import Unavailable
from copilot_core.logpatterns import LOG_PATTERNS, LogPattern
from copilot_core.readings import Missing
from copilot_core.samples import LogSample
from copilot_streams.patience import Patient, too_costly
from copilot_streams.scrapers.backend import Backend, Failure, failed
from copilot_streams.scrapers.loki import RANGE_QUERY, Counts, LogSelection, bounded, counted
from copilot_streams.spans import Span

CHUNK_SLOTS: Final = 2_880


class LogHistory:
    """The past of one cluster's logs in one Loki."""

    def __init__(
        self, backend: Backend, selection: LogSelection, span: Span, *, cluster: str
    ) -> None:
        self._patient = Patient(backend, where=cluster, method="GET")
        self._selection = selection
        self._span = span
        self._cluster = cluster

    async def samples(self) -> AsyncGenerator[LogSample]:
        """One log sample per slot, in order.

        Raises `Unavailable` when Loki stays silent, `Rejected` when it refuses us.
        """
        for chunk in self._span.chunks(CHUNK_SLOTS):
            async for sample in self._read(chunk):
                yield sample

    async def _read(self, span: Span) -> AsyncGenerator[LogSample]:
        counts: list[Counts] = [{} for _ in range(len(span))]
        for pattern in LOG_PATTERNS:
            answer = await self._count(pattern, span)
            if not isinstance(answer, Failure):
                for at, by_service in enumerate(answer):
                    for service, count in by_service.items():
                        counts[at].setdefault(service, {})[pattern.id] = count
            elif too_costly(answer) and len(span) > 1:
                for half in span.halves():
                    async for sample in self._read(half):
                        yield sample
                return
            elif answer.reason is Missing.TIMED_OUT:
                raise Unavailable(
                    f"a single slot is not answered: {answer.detail}",
                    where=f"{self._cluster} {pattern.id} at {span.first}",
                    todo="try again when the backend is less busy",
                )
            else:
                for slot in span:
                    yield self._sample(slot, span.step_s, missing=answer.reason)
                return
        for slot, seen in zip(span, counts, strict=True):
            yield self._sample(slot, span.step_s, counts=bounded(seen))

    async def _count(self, pattern: LogPattern, span: Span) -> list[dict[str, int]] | Failure:
        form = {
            "query": self._selection.count(pattern, span.step_s),
            "start": str(span.first),
            "end": str(span.last),
            "step": str(span.step_s),
        }
        data = await self._patient.ask(RANGE_QUERY, form)
        if isinstance(data, Failure):
            return data
        return counted_range(data, span, self._selection.service_label)

    def _sample(
        self,
        slot: int,
        interval_s: int,
        *,
        counts: Counts | None = None,
        missing: Missing | None = None,
    ) -> LogSample:
        return LogSample(
            cluster=self._cluster, slot=slot, interval_s=interval_s, counts=counts, missing=missing
        )


def counted_range(
    data: Mapping[str, object], span: Span, service_label: str
) -> list[dict[str, int]] | Failure:
    """Service to count for every slot of the span, from the `data` of a range metric query."""
    result = data.get("result")
    if data.get("resultType") != "matrix" or not isinstance(result, list):
        return failed("wrong_shape", f"resultType {data.get('resultType')!r}, matrix expected")
    counts: list[dict[str, int]] = [{} for _ in range(len(span))]
    for series in result:
        match series:
            case {"metric": {**labels}, "values": [*points]}:
                pass
            case _:
                return failed("wrong_shape", f"not a series of counts: {series!r:.80}")
        for point in points:
            at = span.index(point[0]) if isinstance(point, list) and len(point) == 2 else None
            one = counted(
                {"resultType": "vector", "result": [{"metric": labels, "value": point}]},
                service_label,
            )
            if at is None or isinstance(one, Failure):
                return failed("wrong_shape", f"not a point of the asked range: {point!r:.80}")
            for service, count in one.items():
                counts[at][service] = counts[at].get(service, 0) + count
    return counts
