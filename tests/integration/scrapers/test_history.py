"""History is read in pieces that the backend can afford, with patience, and without inventing."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import pytest
import stamina

from copilot_core.errors import Rejected, Unavailable
from copilot_core.readings import Missing
from copilot_core.samples import Sample
from copilot_core.signals import SIGNALS, Family, probes
from copilot_streams.history import SINGLE_FAILURES, SOURCE, History
from copilot_streams.scrapers.backend import Backend, client_for
from copilot_streams.spans import Span, span_of
from tests.unit.streams.stand_in import Asked, Reply, StandIn, standing_in, success, vector

FIRST = 1_800_000_000
SPAN = Span(FIRST, FIRST + 63 * 30, 30)
OTEL = dict(probes(Family.SERVER))["otel_ms"]
MARK = "workflow_cleanup_delete"
"""Occurs in the query of one signal, cleanup_deletes_per_s."""


@pytest.fixture(autouse=True)
def no_pauses() -> Iterator[None]:
    """Retries are counted, not waited for."""
    with stamina.set_testing(True, attempts=3):
        yield


def asked_span(asked: Asked) -> Span:
    start, end, step = (int(asked.fields[name]) for name in ("start", "end", "step"))
    return Span(start, end, step)


def matrix(asked: Asked) -> Reply:
    """Every slot reads the number of its own time."""
    points = [[slot, str(slot - FIRST)] for slot in asked_span(asked)]
    return success({"resultType": "matrix", "result": [{"metric": {}, "values": points}]})


Range = Callable[[Asked], Reply]


def backend_of(answer: Range, *, reports_from: int = 0) -> Callable[[Asked], Reply]:
    """A Prometheus with servers in otel_ms (from a time on) that answers range queries so."""

    def reply(asked: Asked) -> Reply:
        if asked.path.endswith("/query_range"):
            return answer(asked)
        seen = asked.fields["query"] == OTEL and int(asked.fields["time"]) >= reports_from
        return vector("1") if seen else vector()

    return reply


def only(query_part: str, bad: Range) -> Range:
    return lambda asked: bad(asked) if query_part in asked.fields["query"] else matrix(asked)


async def read(
    answer: Callable[[Asked], Reply], span: Span = SPAN, *, chunk_slots: int = 64
) -> tuple[list[Sample], StandIn]:
    async with standing_in(answer) as server, client_for(server.url) as client:
        samples = [s async for s in history(client, span, chunk_slots).samples()]
    return samples, server


def history(client: httpx.AsyncClient, span: Span, chunk_slots: int) -> History:
    backend = Backend(client, timeout_s=3.0, max_bytes=1024 * 1024)
    return History(backend, span, cluster="orders", chunk_slots=chunk_slots)


def ranges(server: StandIn, query_part: str = "") -> list[Span]:
    return [
        asked_span(a)
        for a in server.asked
        if a.path.endswith("/query_range") and query_part in a.fields["query"]
    ]


async def test_every_slot_has_one_sample_in_order() -> None:
    """Chunks follow each other without gap or overlap, and each slot reads its own instant."""
    samples, server = await read(backend_of(matrix), chunk_slots=10)
    assert [s.slot for s in samples] == list(SPAN)
    assert all(s["transitions_per_s"] == s.slot - FIRST for s in samples)
    assert all(s.source == SOURCE for s in samples)
    assert max(len(span) for span in ranges(server)) == 10


async def test_nothing_is_asked_about_now() -> None:
    """Every request names instants inside the span: a backend that only has the past is enough."""
    _, server = await read(backend_of(matrix))
    for asked in server.asked:
        times = [
            int(asked.fields[name]) for name in ("time", "start", "end") if name in asked.fields
        ]
        assert times
        assert all(SPAN.first <= at <= SPAN.last for at in times)


async def test_a_dialect_that_appears_late_is_found() -> None:
    """The installation is probed at instants spread over the span, its end included."""
    samples, _ = await read(backend_of(matrix, reports_from=SPAN.last))
    assert samples[0]["transitions_per_s"] == 0.0


async def test_a_span_without_servers_is_lost_not_without_source() -> None:
    """Where no server dialect answers all along, server signals are NO_SERIES: nobody was seen."""
    samples, server = await read(backend_of(matrix, reports_from=SPAN.last + 1))
    assert samples[0]["transitions_per_s"] is Missing.NO_SERIES
    assert samples[0]["worker_processes"] is Missing.NO_SOURCE
    assert ranges(server) == []


@pytest.mark.parametrize(
    "refusal",
    [
        Reply(422, b'{"status":"error","error":"query processing would load too many samples"}'),
        Reply(400, b'{"status":"error","error":"exceeded maximum resolution of 11,000 points"}'),
        Reply(413, b"too large"),
        Reply(503, b'{"status":"error","error":"query timed out in expression evaluation"}'),
    ],
    ids=["samples", "points", "size", "time"],
)
async def test_a_costly_query_is_halved_until_it_fits(refusal: Reply) -> None:
    """A signal that the backend only affords eight slots at a time reads the same in the end; the
    other signals keep their large pieces."""
    costly = only(MARK, lambda a: refusal if len(asked_span(a)) > 8 else matrix(a))
    samples, server = await read(backend_of(costly))
    assert [s["cleanup_deletes_per_s"] for s in samples] == [float(s - FIRST) for s in SPAN]
    assert {len(span) for span in ranges(server, MARK)} == {64, 32, 16, 8}
    assert {len(span) for span in ranges(server, "num_goroutines")} == {64}


async def test_a_slot_that_cannot_be_evaluated_is_lost_alone() -> None:
    """An instant at which the expression fails is SCRAPE_FAILED, as it would have been live; the
    instants around it are read."""
    sick = FIRST + 10 * 30
    refusal = Reply(422, b'{"status":"error","error":"found duplicate series"}')
    samples, _ = await read(
        backend_of(only(MARK, lambda a: refusal if sick in asked_span(a) else matrix(a)))
    )
    lost = [s.slot for s in samples if s["cleanup_deletes_per_s"] is Missing.SCRAPE_FAILED]
    assert lost == [sick]


async def test_a_query_that_always_fails_is_given_up_for_the_chunk() -> None:
    """A signal whose every slot is refused costs a bounded number of requests."""
    span = Span(FIRST, FIRST + 1023 * 30, 30)
    samples, server = await read(
        backend_of(only(MARK, lambda _: Reply(422, b"no"))), span, chunk_slots=1024
    )
    assert all(s["cleanup_deletes_per_s"] is Missing.SCRAPE_FAILED for s in samples)
    assert all(s["goroutines"] == s.slot - FIRST for s in samples)
    assert len(ranges(server, MARK)) <= 2 * SINGLE_FAILURES + 12


async def test_an_expression_that_is_refused_is_lost_for_the_span() -> None:
    """A 400 that names no limit will not get better in smaller pieces: asked once."""
    samples, server = await read(
        backend_of(only(MARK, lambda _: Reply(400, b'{"status":"error","error":"parse error"}')))
    )
    assert all(s["cleanup_deletes_per_s"] is Missing.SCRAPE_FAILED for s in samples)
    assert len(ranges(server, MARK)) == 1


@pytest.mark.parametrize(
    "trouble", [Reply(429, b"slow down"), Reply(502, b""), Reply(500, b""), Reply(break_off=True)]
)
async def test_trouble_that_passes_is_waited_for(trouble: Reply) -> None:
    """Throttling, 5xx and broken connections are asked again, and leave no hole."""
    failures = {"left": 2}

    def shaky(asked: Asked) -> Reply:
        if failures["left"]:
            failures["left"] -= 1
            return trouble
        return matrix(asked)

    samples, _ = await read(backend_of(only(MARK, shaky)))
    assert [s["cleanup_deletes_per_s"] for s in samples] == [float(s - FIRST) for s in SPAN]


async def test_trouble_that_stays_ends_the_reading() -> None:
    """A backend that stays away is an error of ours: nothing is written down as the cluster's."""
    with pytest.raises(Unavailable) as away:
        await read(backend_of(only(MARK, lambda _: Reply(502, b"bad gateway"))))
    assert "http_502" in away.value.what


async def test_a_single_slot_that_hangs_ends_the_reading() -> None:
    """A query that is not answered even for one slot is the backend's trouble, not a reading."""
    one = Span(FIRST, FIRST, 30)
    with pytest.raises(Unavailable):
        await read(backend_of(only(MARK, lambda _: Reply(hang=True))), one)


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_wrong_credentials_or_address_are_told_at_once(status: int) -> None:
    """Asking again would not help: the reading ends with what to check."""
    with pytest.raises(Rejected) as refused:
        await read(lambda _: Reply(status, b"no"))
    assert "credentials" in refused.value.todo


async def test_a_year_is_read_in_bounded_pieces() -> None:
    """Reading a year stops after the first day when nobody takes more: it is a stream of chunks,
    of which one is in memory."""
    year = Span(FIRST, FIRST + 365 * 86_400, 30)
    async with (
        standing_in(
            backend_of(lambda _: success({"resultType": "matrix", "result": []}))
        ) as server,
        client_for(server.url) as client,
    ):
        samples = history(client, year, 2_880).samples()
        first = await anext(samples)
        await samples.aclose()
    assert first.slot == FIRST
    asked = ranges(server)
    assert {(span.first, len(span)) for span in asked} == {(FIRST, 2_880)}
    assert len(asked) <= len(SIGNALS)


def test_a_span_holds_the_slots_inside() -> None:
    """Slots are aligned and lie in the range, its ends included; a range without any is refused."""
    assert list(span_of(61, 150.5, 30)) == [90, 120, 150]
    assert list(span_of(60, 60, 30)) == [60]
    with pytest.raises(Rejected):
        span_of(61, 89, 30)


def test_spans_cut_and_halve_without_loss() -> None:
    """Chunks and halves cover a span exactly; instants include both ends."""
    span = Span(0, 300, 30)
    assert [slot for chunk in span.chunks(4) for slot in chunk] == list(span)
    assert [slot for half in span.halves() for slot in half] == list(span)
    assert span.instants(3) == [0, 150, 300]
    assert Span(0, 0, 30).instants(16) == [0]
    assert len(span.instants(100)) == len(span)
