"""A recorded incident in a real Prometheus: live view, history and the shipped recording agree."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest

from copilot_core.readings import Missing, Reading, known
from copilot_core.samples import Sample
from copilot_core.signals import (
    DIALECTS,
    DSQL_PROBE,
    INDEX,
    SIGNAL_NAMES,
    SIGNALS,
    Family,
    Installation,
    probes,
    promql,
)
from copilot_streams.history import CHUNK_SLOTS, History
from copilot_streams.recorder import record
from copilot_streams.recording import open_recording
from copilot_streams.scrapers.backend import Backend, Failure, client_for
from copilot_streams.scrapers.dialects import DialectMemory
from copilot_streams.scrapers.prometheus import PrometheusScraper
from tests.data.make_recordings import (
    BUNDLED,
    DATA,
    SCRAPE_INTERVAL_S,
    SHIPPED,
    STEP_S,
    record_incident,
    span_of_incident,
)
from tests.infra.prometheus import Prometheus

RECORDING = DATA / f"recordings/{BUNDLED}.jsonl.gz"
SPAN = span_of_incident(DATA / f"recordings/{BUNDLED}.truth.json")


@pytest.fixture
def prometheus(prometheus_of: Callable[[Path], Prometheus]) -> Prometheus:
    return prometheus_of(DATA / f"openmetrics/{BUNDLED}.om.gz")


@pytest.fixture
async def backend(prometheus: Prometheus) -> AsyncIterator[Backend]:
    async with client_for(prometheus.url) as client:
        yield Backend(client, timeout_s=30.0, max_bytes=16 * 1024 * 1024)


def history(backend: Backend, *, chunk_slots: int = CHUNK_SLOTS) -> History:
    return History(
        backend,
        SPAN,
        cluster=BUNDLED,
        scrape_interval_s=SCRAPE_INTERVAL_S,
        chunk_slots=chunk_slots,
    )


def number(value: Reading) -> float:
    assert isinstance(value, float), value
    return value


def scraper(
    backend: Backend, *, server: str | None = None, sdk: str | None = None
) -> PrometheusScraper:
    return PrometheusScraper(
        backend,
        DialectMemory(
            cluster=BUNDLED, server=server, sdk=sdk, instance_label="instance", again_s=600
        ),
        cluster=BUNDLED,
        source="recording",
        interval_s=STEP_S,
        scrape_interval_s=SCRAPE_INTERVAL_S,
        concurrency=8,
        deadline_s=60.0,
    )


async def test_openmetrics_through_prometheus_is_the_shipped_recording(
    prometheus: Prometheus, tmp_path: Path
) -> None:
    """OpenMetrics in a real Prometheus, recorded, gives the recording that ships, byte for byte."""
    folder = tmp_path / BUNDLED
    folder.mkdir()
    for name, source in (
        ("truth.json", f"recordings/{BUNDLED}.truth.json"),
        ("logs.jsonl.gz", f"logs/{BUNDLED}.jsonl.gz"),
    ):
        (folder / name).write_bytes((DATA / source).read_bytes())
    out = tmp_path / "again.jsonl.gz"
    await record_incident(prometheus.url, folder, out)
    shipped = SHIPPED / f"{BUNDLED}.jsonl.gz"
    assert gzip.decompress(out.read_bytes()) == gzip.decompress(shipped.read_bytes())
    assert shipped.read_bytes() == RECORDING.read_bytes()


async def test_live_view_and_history_are_the_same_samples(backend: Backend) -> None:
    """An instant query per slot reads what one range query over all slots reads, every signal."""
    live = scraper(backend, server="otel_ms", sdk="core_ms")
    async for past in history(backend).samples():
        scraped = await live.scrape(past.slot)
        assert scraped.sample == past
        assert not scraped.failures


async def test_history_does_not_depend_on_how_it_is_cut(backend: Backend) -> None:
    """Chunks of seven slots give the same samples as one chunk."""
    whole = [sample async for sample in history(backend).samples()]
    cut = [sample async for sample in history(backend, chunk_slots=7).samples()]
    assert cut == whole
    assert [sample.slot for sample in whole] == list(SPAN)


async def test_a_dialect_is_found_when_it_appears(backend: Backend) -> None:
    """In the first slot nothing was scraped yet: server signals are lost, worker signals have no
    source. In the next slot both dialects answer and are known from then on."""
    live = scraper(backend)
    first = (await live.scrape(SPAN.first)).sample
    assert first["transitions_per_s"] is Missing.NO_SERIES
    assert first["worker_processes"] is Missing.NO_SOURCE
    second = (await live.scrape(SPAN.first + STEP_S)).sample
    assert second["frontend_processes"] == 1.0
    assert second["worker_processes"] == 2.0


async def test_a_known_dialect_outlives_a_blind_stretch(backend: Backend) -> None:
    """Long after the data ended no probe answers; signals of known dialects are asked all the same
    and are lost, not without a source."""
    live = scraper(backend)
    await live.scrape(SPAN.last)
    blind = (await live.scrape(SPAN.last + 3600)).sample
    assert blind["worker_processes"] is Missing.NO_SERIES
    assert blind["transitions_per_s"] is Missing.NO_SERIES


async def test_the_workers_stop_can_be_read_from_the_recording(backend: Backend) -> None:
    """The recording shows the incident: workers report, then none, then again; all along starts go
    on, and while no worker is there no workflow completes."""
    samples = [sample async for sample in history(backend).samples()]
    gone = [s for s in samples if not known(s["worker_processes"]) and s.slot > SPAN.first]
    assert len(gone) * STEP_S in range(300, 420)
    assert all(number(s["starts_accepted_per_s"]) > 1.0 for s in gone)
    assert all(s["completions_per_s"] == 0.0 for s in gone[3:])
    assert known(samples[-1]["worker_processes"])


async def test_every_query_of_every_dialect_is_accepted_by_prometheus(
    prometheus: Prometheus,
) -> None:
    """A real Prometheus parses every expression of the signal table and every probe."""
    expressions = {DSQL_PROBE}
    for dialect in DIALECTS.values():
        server = dialect.id if dialect.family is Family.SERVER else "tally"
        sdk = dialect.id if dialect.family is Family.SDK else None
        asked = (promql(s, Installation(server, sdk, dsql=True), 60) for s in SIGNALS)
        expressions.update(expression for expression in asked if expression)
        expressions.update(query for _, query in probes(dialect.family))
    async with httpx.AsyncClient(base_url=prometheus.url, trust_env=False) as client:
        for expression in sorted(expressions):
            answer = await client.post("/api/v1/format_query", data={"query": expression})
            assert answer.status_code == 200, f"{expression}: {answer.text}"


async def test_no_query_answers_more_than_one_series(backend: Backend) -> None:
    """On a real cluster's data every signal is one number or none at every instant: no answer of
    the incident is refused for its shape."""
    async for sample in history(backend).samples():
        refused = [
            name for name in SIGNAL_NAMES if sample.readings[INDEX[name]] is Missing.SCRAPE_FAILED
        ]
        assert refused == []


async def test_record_reads_back_what_history_said(backend: Backend, tmp_path: Path) -> None:
    """A recording without logs holds the header of its history and exactly its samples."""
    out = tmp_path / "plain.jsonl.gz"
    header = await record(history(backend), out, source="a test")
    with open_recording(out) as recording:
        assert recording.header == header
        back = list(recording)
    assert back == [sample async for sample in history(backend).samples()]
    assert all(isinstance(message, Sample) for message in back)
    assert (header.from_, header.to, header.interval_s) == (SPAN.first, SPAN.last, STEP_S)
    assert header.installation.server == "otel_ms"


async def test_a_query_over_a_limit_is_halved_until_it_fits(prometheus: Prometheus) -> None:
    """A backend that answers only a few points at a time, here by the size of answers that we
    read, gives the same history in smaller pieces."""
    async with client_for(prometheus.url) as client:
        small = Backend(client, timeout_s=30.0, max_bytes=400)
        refused = await small.ask(
            "api/v1/query_range",
            {"query": "vector(1)", "start": str(SPAN.first), "end": str(SPAN.last), "step": "30"},
        )
        assert isinstance(refused, Failure)
        pieces = [sample async for sample in history(small).samples()]
        whole = [
            sample
            async for sample in history(
                Backend(client, timeout_s=30.0, max_bytes=1024 * 1024)
            ).samples()
        ]
    assert pieces == whole
