"""History of a Prometheus, read with range queries: the same samples a scraper would have made.

Theory of operation. A range query evaluates the same expression at the same instants as an instant
query per slot would, so history goes through the signal table unchanged. It is read in *chunks* of
slots: all signals of one chunk are in memory, nothing else, so a year costs no more memory than a
day. Backends limit what one query may cost (11,000 points, samples loaded, time), and the limit is
only found by hitting it; a chunk of one signal that is refused is asked again in halves:

    answered                         its readings
    over a limit, timeout            halved, down to single slots; a single slot that is still
                                     refused is SCRAPE_FAILED, as it would have been live
    refused for another reason       the expression itself is at fault: SCRAPE_FAILED for the span

What waiting may mend is waited for, and what asking again cannot mend ends the reading (see
`patience.py`; so does a single slot that times out): nothing is written down that was not read.
Nothing here asks for "now": dialects are probed at instants spread over the range.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import asdict
from typing import Final

import structlog

from copilot_core.errors import CopilotError, Unavailable
from copilot_core.readings import Missing, Reading
from copilot_core.samples import Sample, sample_of
from copilot_core.signals import Family, Installation, rate_window_s
from copilot_streams.patience import Patient, too_costly
from copilot_streams.scrapers.answers import instant_reading, range_readings
from copilot_streams.scrapers.backend import Backend, Failure
from copilot_streams.scrapers.dialects import PROBED, Planned, View, probe, view_of
from copilot_streams.scrapers.prometheus import INSTANT_QUERY
from copilot_streams.spans import Span

log = structlog.get_logger(__name__)

RANGE_QUERY: Final = "api/v1/query_range"

CHUNK_SLOTS: Final = 2_880
"""Slots read at once: one day at 30 s. Far below the 11,000 points that a query may return; 130
signals of 2,880 readings are 12 MB."""

CONCURRENCY: Final = 4
PROBE_INSTANTS: Final = 16
SINGLE_FAILURES: Final = 32
"""After so many slots of a chunk failed alone, the rest of it is not tried for the signal."""

SOURCE: Final = "recording"


class History:
    """The past of one cluster in one Prometheus-compatible backend.

    `scrape_interval_s` is that of the backend, for the rate window. `server` and `sdk` fix a
    dialect; None probes for it inside the span. One dialect per family holds for the whole span:
    where the software was reconfigured inside it, read the parts on their own.
    """

    def __init__(
        self,
        backend: Backend,
        span: Span,
        *,
        cluster: str,
        scrape_interval_s: int = 15,
        server: str | None = None,
        sdk: str | None = None,
        instance_label: str = "instance",
        chunk_slots: int = CHUNK_SLOTS,
    ) -> None:
        self.span = span
        self.cluster = cluster
        self._patient = Patient(backend, where=cluster)
        self._window_s = rate_window_s(scrape_interval_s)
        self._fixed = {Family.SERVER: server, Family.SDK: sdk}
        self._instance_label = instance_label
        self._chunk_slots = chunk_slots
        self._view: View | None = None

    async def installation(self) -> Installation:
        """The dialects spoken in the span, probed on the first call.

        Raises `Unavailable` when the backend stays silent, `Rejected` when it refuses us.
        """
        return (await self._look()).installation

    async def samples(self) -> AsyncGenerator[Sample]:
        """One sample per slot of the span, in order; raises as `installation` does."""
        plan = (await self._look()).plan(self._window_s)
        for chunk in self.span.chunks(self._chunk_slots):
            columns = await self._read(plan, chunk)
            for i, slot in enumerate(chunk):
                yield sample_of(
                    {name: column[i] for name, column in columns.items()},
                    cluster=self.cluster,
                    slot=slot,
                    interval_s=chunk.step_s,
                    source=SOURCE,
                )

    async def _look(self) -> View:
        if self._view is None:
            known = {family: dialect for family, dialect in self._fixed.items() if dialect}
            missing = [family for family in PROBED if family not in known]
            for family in missing:
                found = await self._probe(family)
                if found is not None:
                    known[family] = found
            self._view = view_of(
                known,
                {family: Missing.NO_SERIES for family in missing if family not in known},
                instance_label=self._instance_label,
            )
            log.info(
                "dialects of the range", cluster=self.cluster, **asdict(self._view.installation)
            )
        return self._view

    async def _probe(self, family: Family) -> str | None:
        """The dialect that answers first, going through instants spread over the span."""
        for at in self.span.instants(PROBE_INSTANTS):

            async def ask(query: str, at: int = at) -> Reading | Failure:
                data = await self._patient.ask(INSTANT_QUERY, {"query": query, "time": str(at)})
                return data if isinstance(data, Failure) else instant_reading(data)

            found = await probe(ask, family)
            if not isinstance(found, Missing | Failure):
                return found
        return None

    async def _read(
        self, plan: Sequence[tuple[str, Planned]], chunk: Span
    ) -> dict[str, list[Reading]]:
        """The readings of every signal over one chunk, a few signals at a time."""
        columns: dict[str, list[Reading]] = {}
        waiting: list[tuple[str, str]] = []
        for name, query in plan:
            if isinstance(query, Missing | Failure):
                reason = query if isinstance(query, Missing) else query.reason
                columns[name] = [reason] * len(chunk)
            else:
                waiting.append((name, query))

        async def worker() -> None:
            while waiting:
                name, query = waiting.pop()
                columns[name] = await _Column(self._patient, name, query).read(chunk)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(CONCURRENCY):
                    group.create_task(worker())
        except* CopilotError as errors:
            raise errors.exceptions[0] from None
        return columns


class _Column:
    """One signal over one chunk, halved where the backend finds it too costly."""

    def __init__(self, patient: Patient, name: str, query: str) -> None:
        self._patient = patient
        self._name = name
        self._query = query
        self._failed_alone = 0

    async def read(self, span: Span) -> list[Reading]:
        """One reading per slot of the span; raises `Unavailable` or `Rejected` as asking does."""
        if self._failed_alone >= SINGLE_FAILURES:
            return [Missing.SCRAPE_FAILED] * len(span)
        answer = await self._ask(span)
        if not isinstance(answer, Failure):
            return answer
        if not too_costly(answer):
            return self._lost(span, answer)
        if len(span) > 1:
            left, right = span.halves()
            return await self.read(left) + await self.read(right)
        if answer.reason is Missing.TIMED_OUT:
            raise Unavailable(
                f"a single instant is not answered: {answer.detail}",
                where=f"{self._name} at {span.first}",
                todo="try again when the backend is less busy",
            )
        self._failed_alone += 1
        return self._lost(span, answer)

    async def _ask(self, span: Span) -> list[Reading] | Failure:
        form = {
            "query": self._query,
            "start": str(span.first),
            "end": str(span.last),
            "step": str(span.step_s),
        }
        data = await self._patient.ask(RANGE_QUERY, form)
        if isinstance(data, Failure):
            return data
        return range_readings(data, span)

    def _lost(self, span: Span, failure: Failure) -> list[Reading]:
        log.warning(
            "signal not read",
            signal=self._name,
            slots=len(span),
            first=span.first,
            cause=failure.cause,
            detail=failure.detail,
        )
        return [Missing.SCRAPE_FAILED] * len(span)
