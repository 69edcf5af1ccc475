"""One slot, one sample: whatever the backend does, every reading is a number or a reason."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import httpx
import pytest
from structlog.testing import capture_logs

from copilot_core.readings import Missing
from copilot_core.signals import PROBES, SIGNAL_NAMES, SIGNALS, Family
from copilot_streams.scrapers.backend import Backend, client_for
from copilot_streams.scrapers.dialects import DialectMemory
from copilot_streams.scrapers.prometheus import PrometheusScraper, Scraped, log_failures
from tests.unit.streams.stand_in import Asked, Reply, StandIn, standing_in, vector

SLOT = 1_800_000_000
NO_SOURCE = {s.name for s in SIGNALS if s.family in (Family.NONE, Family.DSQL)}


def scraper(
    client: httpx.AsyncClient,
    *,
    timeout_s: float = 30.0,
    deadline_s: float = 30.0,
    concurrency: int = 8,
) -> PrometheusScraper:
    return PrometheusScraper(
        Backend(client, timeout_s=timeout_s, max_bytes=10_000),
        DialectMemory(
            cluster="orders",
            server="otel_ms",
            sdk="core_ms",
            instance_label="instance",
            again_s=600,
        ),
        cluster="orders",
        source="prometheus",
        interval_s=30,
        scrape_interval_s=15,
        concurrency=concurrency,
        deadline_s=deadline_s,
    )


def unknown(client: httpx.AsyncClient) -> PrometheusScraper:
    """A scraper that has to find its dialects."""
    return PrometheusScraper(
        Backend(client, timeout_s=30.0, max_bytes=10_000),
        DialectMemory(
            cluster="orders", server=None, sdk=None, instance_label="instance", again_s=600
        ),
        cluster="orders",
        source="amp",
        interval_s=30,
        scrape_interval_s=15,
        concurrency=4,
        deadline_s=30.0,
    )


async def scraped(
    answer: Callable[[Asked], Reply],
    *,
    timeout_s: float = 30.0,
    deadline_s: float = 30.0,
    concurrency: int = 8,
) -> tuple[Scraped, StandIn]:
    async with standing_in(answer) as server, client_for(server.url) as client:
        one = scraper(client, timeout_s=timeout_s, deadline_s=deadline_s, concurrency=concurrency)
        return await one.scrape(SLOT), server


def without_plugin(asked: Asked, reply: Reply) -> Reply:
    return vector() if asked.fields["query"] == "count(dsql_pool_open)" else reply


async def test_every_row_is_asked_once_at_the_slot_and_answered() -> None:
    """All queries name the slot's instant: a late scraper asks what a punctual one would have."""
    result, server = await scraped(lambda asked: without_plugin(asked, vector("7.25")))
    readings = dict(zip(SIGNAL_NAMES, result.sample.readings, strict=True))
    assert {name for name, value in readings.items() if value == 7.25} == set(
        SIGNAL_NAMES
    ) - NO_SOURCE
    assert all(readings[name] is Missing.NO_SOURCE for name in NO_SOURCE)
    assert {asked.fields["time"] for asked in server.asked} == {str(SLOT)}
    assert len(server.asked) == len(SIGNAL_NAMES) - len(NO_SOURCE) + 1
    assert (result.sample.slot, result.sample.interval_s, result.sample.cluster) == (
        SLOT,
        30,
        "orders",
    )
    assert not result.failures


@pytest.mark.parametrize(
    ("reply", "reason", "cause"),
    [
        (vector(), Missing.NO_SERIES, None),
        (vector("NaN"), Missing.NOT_A_NUMBER, None),
        (vector("1", "2"), Missing.SCRAPE_FAILED, "many_series"),
        (Reply(500, b"boom"), Missing.SCRAPE_FAILED, "http_500"),
        (Reply(200, b"<html>"), Missing.SCRAPE_FAILED, "not_json"),
        (Reply(200, b" " * 20_000), Missing.SCRAPE_FAILED, "too_large"),
        (Reply(hang=True), Missing.TIMED_OUT, "timeout"),
    ],
)
async def test_one_bad_answer_costs_one_reading(
    reply: Reply, reason: Missing, cause: str | None
) -> None:
    """A row that is answered badly is missing for its own reason; all others are read."""

    def answer(asked: Asked) -> Reply:
        bad = "workflow_cleanup_delete" in asked.fields["query"]
        return without_plugin(asked, reply if bad else vector("1"))

    result, _ = await scraped(answer, timeout_s=3.0)
    assert result.sample["cleanup_deletes_per_s"] is reason
    assert (
        sum(value == 1.0 for value in result.sample.readings) == len(SIGNALS) - len(NO_SOURCE) - 1
    )
    assert [f.cause for f in result.failures.values()] == ([cause] if cause else [])


async def test_a_dead_backend_gives_an_all_missing_sample() -> None:
    """Nobody listens: a sample all the same, every signal that has a source SCRAPE_FAILED."""
    async with standing_in(lambda _: vector()) as server:
        url = server.url
    async with client_for(url) as client:
        result = await scraper(client).scrape(SLOT)
    failed = {n for n, f in result.failures.items() if f.cause == "connect"}
    assert {s.name for s in SIGNALS if s.family in (Family.SERVER, Family.SDK)} <= failed
    assert set(result.sample.readings) <= {Missing.SCRAPE_FAILED, Missing.NO_SOURCE}


async def test_a_backend_that_was_never_seen_is_not_without_source() -> None:
    """Dead from the first slot on, before any dialect is known: every signal that could have a
    source is SCRAPE_FAILED with the cause beside it, so that the log line names it."""
    async with standing_in(lambda _: vector()) as server:
        url = server.url
    async with client_for(url) as client:
        result = await unknown(client).scrape(SLOT)
    lost = {s.name for s in SIGNALS if s.family is not Family.NONE}
    assert {n for n, f in result.failures.items() if f.cause == "connect"} == lost
    assert all(result.sample[name] is Missing.SCRAPE_FAILED for name in lost)


async def test_a_silent_backend_costs_the_deadline_and_no_more() -> None:
    """With every query hanging the slot ends at its deadline, far before the sum of the timeouts,
    and what was not asked is TIMED_OUT; a signal without a source stays without."""
    async with asyncio.timeout(20):
        result, _ = await scraped(lambda _: Reply(hang=True), timeout_s=30.0, deadline_s=0.3)
    assert result.sample["transitions_per_s"] is Missing.TIMED_OUT
    assert result.sample["leader_changes_per_min"] is Missing.NO_SOURCE
    assert {f.cause for f in result.failures.values()} == {"deadline"}


async def test_the_deadline_keeps_what_was_answered_before_it() -> None:
    """Rows are asked in table order: pulses are read before a stuck amplifier eats the time."""

    def answer(asked: Asked) -> Reply:
        return Reply(hang=True) if "num_goroutines" in asked.fields["query"] else vector("3")

    result, _ = await scraped(answer, timeout_s=30.0, deadline_s=4.0, concurrency=1)
    assert result.sample["frontend_processes"] == 3.0
    assert result.sample["persistence_errors_per_s"] == 3.0
    assert result.sample["goroutines"] is Missing.TIMED_OUT
    assert result.sample["heap_bytes"] is Missing.TIMED_OUT


async def test_no_more_queries_are_in_flight_than_allowed() -> None:
    """The backend never has more than `concurrency` queries at a time."""
    slow = replace(vector("1"), after_s=0.005)
    _, server = await scraped(lambda asked: without_plugin(asked, slow), concurrency=3)
    assert server.most_inside == 3


async def test_an_unknown_dialect_is_probed_before_the_rows_are_asked() -> None:
    """Without configuration the probes come first and the rows are spelled in what they found."""

    def answer(asked: Asked) -> Reply:
        query = asked.fields["query"]
        if query == dict(PROBES)["tally"]:
            return vector("12")
        return (
            vector()
            if query.startswith("count(") and "persistence_latency" in query
            else vector("1")
        )

    async with standing_in(answer) as server, client_for(server.url) as client:
        await unknown(client).scrape(SLOT)
    asked = [a.fields["query"] for a in server.asked]
    assert asked[0].startswith("count(persistence_latency_milliseconds_bucket")
    assert any("rate(service_requests{" in query for query in asked)
    assert not any("service_requests_total" in query for query in asked)


async def test_failures_are_logged_once_per_cause_with_the_signals_they_cost() -> None:
    """One line says cause, the backend's words and which signals; not one line per signal."""
    result, _ = await scraped(lambda _: Reply(503, b"try later"))
    with capture_logs() as lines:
        log_failures("orders", SLOT, result.failures)
    (line,) = lines
    assert line["cause"] == "http_503"
    assert line["detail"] == "try later"
    assert line["names_total"] == len(result.failures) > len(line["names"])
