"""Rounds keep to the slots: each once, late ones skipped and counted, defects contained."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from prometheus_client import CollectorRegistry
from whenever import Instant

from copilot_core.readings import Missing
from copilot_core.samples import LogSample, Sample, all_missing
from copilot_service import Service, ServiceSettings
from copilot_streams.scrapers.loki import LogScraped
from copilot_streams.scrapers.meters import Meters
from copilot_streams.scrapers.prometheus import Scraped
from copilot_streams.scrapers.rounds import Kind, Round, Rounds, next_slot

BASE = 1_800_000_000
SETTLE_S = 2.0


class Clock:
    """A clock that a test moves; rounds that wait for a time in the past do not wait."""

    def __init__(self, at: float) -> None:
        self.at = at

    def __call__(self) -> Instant:
        return Instant.from_timestamp(int(self.at * 1000), unit="millisecond")


def sample(slot: int) -> Sample:
    return all_missing(Missing.NO_SERIES, cluster="orders", slot=slot, interval_s=30, source="amp")


async def rounds_of(
    scrape: Callable[[int, Clock], Scraped | LogScraped], *, slots: int, kind: Kind = "sample"
) -> tuple[list[Sample | LogSample], CollectorRegistry]:
    """Run rounds from just before BASE until `slots` samples came; each scrape moves the clock."""
    service = Service("scraper", ServiceSettings())
    clock, got = Clock(BASE + SETTLE_S - 0.001), list[Sample | LogSample]()

    async def one(slot: int) -> Scraped | LogScraped:
        return scrape(slot, clock)

    def put(message: Sample | LogSample) -> None:
        got.append(message)
        if len(got) == slots:
            rounds.stop()

    round_ = Round("orders", kind, "amp", 30, SETTLE_S, one)
    rounds = Rounds(round_, put, service, Meters(service.registry), now=clock)
    async with asyncio.timeout(30):
        await rounds.run()
    return got, service.registry


async def test_slots_follow_each_other() -> None:
    """A scraper that is quick enough has every slot once, aligned."""

    def scrape(slot: int, clock: Clock) -> Scraped:
        clock.at = slot + 30 + SETTLE_S - 0.001
        return Scraped(sample(slot), {})

    got, registry = await rounds_of(scrape, slots=4)
    assert [m.slot for m in got] == [BASE, BASE + 30, BASE + 60, BASE + 90]
    counted = registry.get_sample_value(
        "copilot_scraper_slots_total", {"cluster": "orders", "kind": "sample"}
    )
    assert counted == 4.0


async def test_a_machine_that_slept_goes_on_with_the_newest_slot() -> None:
    """Slots whose time passed unnoticed are counted as skipped, not scraped late one by one."""

    def scrape(slot: int, clock: Clock) -> Scraped:
        pause = 310 if slot == BASE + 30 else 30
        clock.at = slot + pause + SETTLE_S - 0.001
        return Scraped(sample(slot), {})

    got, registry = await rounds_of(scrape, slots=4)
    assert [m.slot - BASE for m in got] == [0, 30, 330, 360]
    skipped = registry.get_sample_value(
        "copilot_scraper_slots_skipped_total", {"cluster": "orders", "kind": "sample"}
    )
    assert skipped == 9.0


async def test_a_defect_costs_one_slot_and_is_counted() -> None:
    """A scrape that breaks gives a sample that says SCRAPE_FAILED, and the next slot is scraped."""

    def scrape(slot: int, clock: Clock) -> Scraped:
        clock.at = slot + 30 + SETTLE_S - 0.001
        if slot == BASE:
            raise ZeroDivisionError
        return Scraped(sample(slot), {})

    got, registry = await rounds_of(scrape, slots=2)
    broken, fine = got
    assert isinstance(broken, Sample)
    assert set(broken.readings) == {Missing.SCRAPE_FAILED}
    assert broken.source == "amp"
    assert fine == sample(BASE + 30)
    assert registry.get_sample_value("copilot_unexpected_errors_total", {"place": "scrape"}) == 1.0


async def test_a_defect_in_a_log_round_gives_a_log_sample_without_counts() -> None:
    """The same for logs: the slot is there, and says why it has no counts."""

    def scrape(slot: int, clock: Clock) -> LogScraped:
        clock.at = slot + 30 + SETTLE_S - 0.001
        raise ZeroDivisionError

    (broken,), _ = await rounds_of(scrape, slots=1, kind="log_sample")
    assert isinstance(broken, LogSample)
    assert (broken.counts, broken.missing) == (None, Missing.SCRAPE_FAILED)


async def test_missing_readings_are_counted_by_reason() -> None:
    """The scraper's own metrics tell how many readings were missing, and why."""

    def scrape(slot: int, clock: Clock) -> Scraped:
        clock.at = slot + 30 + SETTLE_S - 0.001
        return Scraped(sample(slot), {})

    got, registry = await rounds_of(scrape, slots=1)
    (one,) = got
    assert isinstance(one, Sample)
    counted = registry.get_sample_value(
        "copilot_scraper_readings_missing_total", {"cluster": "orders", "reason": "no_series"}
    )
    assert counted == len(one.readings)


def test_a_round_belongs_to_the_first_slot_whose_time_is_to_come() -> None:
    """Before a slot has settled it is still to come; from then on it is the next one's turn."""

    async def never(_: int) -> Scraped:
        raise AssertionError

    round_ = Round("orders", "sample", "amp", 30, SETTLE_S, never)
    for at, slot in ((0.0, 0), (1.9, 0), (2.0, 30), (29.9, 30), (31.9, 30), (32.0, 60)):
        assert next_slot(Clock(BASE + at)(), round_) == BASE + slot
