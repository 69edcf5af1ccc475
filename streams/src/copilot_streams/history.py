"""History of a Prometheus, read with range queries: the same samples a scraper would have made.

Theory of operation. A range query evaluates the same expression at the same instants as an instant
query per slot would, so history goes through the signal table unchanged. It is read in *chunks* of
slots: all signals of one chunk are in memory, nothing else, so a year costs no more memory than a
day. Backends limit what one query may cost (11,000 points, samples loaded, time), and the limit is
only found by hitting it; a chunk of one signal that is refused is asked again in halves:

    answered                         its readings
    400                              the expression itself is refused: SCRAPE_FAILED for the span
    422, 413, timeout, too large     halved, down to single slots; a single slot that is still
                                     refused is SCRAPE_FAILED, as it would have been live
    429, 5xx, connection lost        waited for and asked again; then the reading ends (as for a
                                     single slot that times out): a hole in *our* view must never
                                     be written down as the cluster's
    401, 403, 404                    the reading ends: wrong credentials or address

Nothing here asks for "now": dialects are probed at instants spread over the range.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final

import stamina
import structlog

from copilot_core.errors import CopilotError, Rejected, Unavailable
from copilot_core.readings import Missing, Reading
from copilot_core.samples import Sample, sample_of
from copilot_core.signals import Family, Installation, rate_window_s
from copilot_streams.scrapers.answers import instant_reading, range_readings
from copilot_streams.scrapers.backend import Backend, Failure
from copilot_streams.scrapers.dialects import PROBED, View, probe, view_of
from copilot_streams.scrapers.prometheus import INSTANT_QUERY

log = structlog.get_logger(__name__)

RANGE_QUERY: Final = "api/v1/query_range"

CHUNK_SLOTS: Final = 2_880
"""Slots read at once: one day at 30 s. Far below the 11,000 points that a query may return; 130
signals of 2,880 readings are 12 MB."""

CONCURRENCY: Final = 4
PROBE_INSTANTS: Final = 16
SINGLE_FAILURES: Final = 32
"""After so many slots of a chunk failed alone, the rest of it is not tried for the signal."""

ATTEMPTS: Final = 6
WAIT_MAX_S: Final = 30.0
"""Six attempts wait about a minute in all: longer than a backend's restart."""

REFUSED: Final = (401, 403, 404)
"""Statuses that will not change by asking again or for less."""

SOURCE: Final = "recording"


@dataclass(frozen=True, slots=True)
class Span:
    """Slots `first`, `first + step_s`, …, `last` (Unix seconds, both included)."""

    first: int
    last: int
    step_s: int

    def __len__(self) -> int:
        return (self.last - self.first) // self.step_s + 1

    def chunks(self, slots: int) -> list[Span]:
        """The span cut into pieces of at most `slots`."""
        return [
            Span(first, min(first + (slots - 1) * self.step_s, self.last), self.step_s)
            for first in range(self.first, self.last + 1, slots * self.step_s)
        ]

    def halves(self) -> tuple[Span, Span]:
        """The span cut in two; it must have two slots at least."""
        middle = self.first + (len(self) // 2) * self.step_s
        return (
            Span(self.first, middle - self.step_s, self.step_s),
            Span(middle, self.last, self.step_s),
        )

    def instants(self, count: int) -> list[int]:
        """At most `count` slots spread evenly over the span, its ends included."""
        last = len(self) - 1
        picked = {last * i // max(count - 1, 1) for i in range(count)}
        return [self.first + i * self.step_s for i in sorted(picked)]


def span_of(from_s: float, to_s: float, step_s: int) -> Span:
    """The slots that lie in [from, to]; raises `Rejected` when there is none."""
    first = -int(-from_s // step_s) * step_s
    last = int(to_s // step_s) * step_s
    if last < first:
        raise Rejected(
            f"no slot of {step_s} s between {from_s:g} and {to_s:g}",
            code="empty_range",
            todo="give a later --to, an earlier --from or a smaller --step",
        )
    return Span(first, last, step_s)


class History:
    """The past of one cluster in one Prometheus-compatible backend.

    `scrape_interval_s` is that of the backend, for the rate window. `server` and `sdk` fix a
    dialect; None probes for it inside the span.
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
        self._backend = backend
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

    async def samples(self) -> AsyncIterator[Sample]:
        """One sample per slot of the span, in order; raises as `installation` does."""
        plan = (await self._look()).plan(self._window_s)
        for chunk in self.span.chunks(self._chunk_slots):
            columns = await self._read(plan, chunk)
            for i in range(len(chunk)):
                yield sample_of(
                    {name: column[i] for name, column in columns.items()},
                    cluster=self.cluster,
                    slot=chunk.first + i * chunk.step_s,
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
                data = await self._patiently(INSTANT_QUERY, {"query": query, "time": str(at)})
                return data if isinstance(data, Failure) else instant_reading(data)

            found = await probe(ask, family)
            if not isinstance(found, Missing):
                return found
        return None

    async def _read(
        self, plan: Sequence[tuple[str, str | Missing]], chunk: Span
    ) -> dict[str, list[Reading]]:
        """The readings of every signal over one chunk, a few signals at a time."""
        columns: dict[str, list[Reading]] = {}
        waiting = [(name, query) for name, query in plan if not isinstance(query, Missing)]
        for name, query in plan:
            if isinstance(query, Missing):
                columns[name] = [query] * len(chunk)

        async def worker() -> None:
            while waiting:
                name, query = waiting.pop()
                columns[name] = await _Column(self._patiently, name, query).read(chunk)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(CONCURRENCY):
                    group.create_task(worker())
        except* CopilotError as errors:
            raise errors.exceptions[0] from None
        return columns

    async def _patiently(self, path: str, form: Mapping[str, str]) -> dict[str, object] | Failure:
        """Ask; wait and ask again where that may help; raise where going on would lie."""
        try:
            async for attempt in stamina.retry_context(
                on=_Again, attempts=ATTEMPTS, wait_initial=0.5, wait_max=WAIT_MAX_S, timeout=None
            ):
                with attempt:
                    data = await self._once(path, form)
        except _Again as e:
            raise Unavailable(
                f"the metrics backend does not answer: {e.failure.cause}: {e.failure.detail}",
                where=f"{self.cluster} {path}",
                todo="try again when it is back; nothing was written",
            ) from e
        if isinstance(data, Failure) and (data.status in REFUSED or data.cause == "credentials"):
            raise Rejected(
                f"the metrics backend refuses us: {data.cause}: {data.detail}",
                where=f"{self.cluster} {path}",
                todo="check address and credentials",
                code="refused",
            )
        return data

    async def _once(self, path: str, form: Mapping[str, str]) -> dict[str, object] | Failure:
        data = await self._backend.ask(path, form)
        if isinstance(data, Failure) and _passes(data):
            raise _Again(data)
        return data


class _Again(Exception):
    """The backend asks for patience."""

    def __init__(self, failure: Failure) -> None:
        self.failure = failure
        super().__init__(failure.cause)


def _passes(failure: Failure) -> bool:
    """True for a trouble of the backend that waiting may end; a costly query is not one."""
    if _too_costly(failure):
        return False
    return failure.cause == "connect" or failure.status == 429 or (failure.status or 0) >= 500


def _too_costly(failure: Failure) -> bool:
    """True when a shorter span of the same query may succeed.

    Prometheus answers 422 when a query loads too many samples and 503 when it takes too long.
    """
    if failure.status == 503:
        return "timed out" in failure.detail
    return failure.cause in ("timeout", "too_large") or failure.status in (413, 422)


Patiently = Callable[[str, Mapping[str, str]], Awaitable[dict[str, object] | Failure]]


class _Column:
    """One signal over one chunk, halved where the backend finds it too costly."""

    def __init__(self, patiently: Patiently, name: str, query: str) -> None:
        self._patiently = patiently
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
        if not _too_costly(answer):
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
        data = await self._patiently(RANGE_QUERY, form)
        if isinstance(data, Failure):
            return data
        return range_readings(data, start=span.first, step_s=span.step_s, count=len(span))

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
