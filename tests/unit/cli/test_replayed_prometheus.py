"""The recording served as a Prometheus, read by the real scraper over HTTP."""

from __future__ import annotations

import pytest

from copilot.replayed_prometheus import serving
from copilot_core.readings import Missing, Reading
from copilot_core.samples import Sample
from copilot_core.signals import SIGNAL_NAMES, SIGNALS, Family, Installation
from copilot_streams.scrapers.backend import Backend, client_for
from copilot_streams.scrapers.dialects import DialectMemory
from copilot_streams.scrapers.prometheus import PrometheusScraper

SLOT = 1_795_367_430
INTERVAL_S = 30
SCRAPE_INTERVAL_S = 10


def sample(slot: int, readings: dict[str, Reading]) -> Sample:
    """A recorded sample of a stock server: every signal has a number unless told otherwise."""
    usual = {
        s.name: Missing.NO_SOURCE if s.family in (Family.NONE, Family.DSQL) else float(i + 1)
        for i, s in enumerate(SIGNALS)
    }
    return Sample(
        cluster="orders", slot=slot, interval_s=INTERVAL_S, source="recording",
        readings=tuple({**usual, **readings}[name] for name in SIGNAL_NAMES),
    )  # fmt: skip


async def scraped(url: str, slot: int) -> Sample:
    """What the real scraper reads at a slot; dialects are probed."""
    async with client_for(url) as client:
        scraper = PrometheusScraper(
            Backend(client, timeout_s=5.0, max_bytes=1_000_000),
            DialectMemory(
                cluster="orders", server=None, sdk=None, instance_label="instance", again_s=300
            ),
            cluster="orders", source="recording", interval_s=INTERVAL_S,
            scrape_interval_s=SCRAPE_INTERVAL_S, concurrency=4, deadline_s=20.0,
        )  # fmt: skip
        return (await scraper.scrape(slot)).sample


@pytest.mark.parametrize(
    ("server", "sdk"), [("otel_ms", "core_ms"), ("tally", "seconds_suffixed"), ("otel_ms", None)]
)
async def test_the_scraper_reads_what_was_recorded(server: str, sdk: str | None) -> None:
    """Numbers, absent series and NaN come back as recorded, in every dialect, found by probing."""
    installation = Installation(server=server, sdk=sdk, dsql=False)
    hidden: dict[str, Reading] = {
        "transitions_per_s": Missing.NO_SERIES,
        "transition_p99_ms": Missing.NOT_A_NUMBER,
        "persistence_errors_per_s": 0.0,
    }
    if sdk is None:
        hidden |= {s.name: Missing.NO_SOURCE for s in SIGNALS if s.family is Family.SDK}
    recorded = sample(SLOT, hidden)
    with serving([recorded], installation, scrape_interval_s=SCRAPE_INTERVAL_S) as url:
        assert await scraped(url, SLOT) == recorded


async def test_a_failed_scrape_stays_a_failed_scrape() -> None:
    """A reading whose backend did not answer in the recording is not answered in the replay."""
    recorded = sample(SLOT, {"transitions_per_s": Missing.SCRAPE_FAILED})
    installation = Installation(server="otel_ms", sdk="core_ms", dsql=False)
    with serving([recorded], installation, scrape_interval_s=SCRAPE_INTERVAL_S) as url:
        assert (await scraped(url, SLOT))["transitions_per_s"] is Missing.SCRAPE_FAILED


async def test_nothing_is_made_up_outside_the_recording() -> None:
    """A slot that was not recorded is refused, so the scraper sees a failure and no numbers."""
    installation = Installation(server="otel_ms", sdk="core_ms", dsql=False)
    with serving([sample(SLOT, {})], installation, scrape_interval_s=SCRAPE_INTERVAL_S) as url:
        seen = await scraped(url, SLOT + INTERVAL_S)
    assert not any(isinstance(r, float) for r in seen.readings)
