"""The scraper process on a real Kafka: every slot arrives, in order, whoever is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer

from copilot_core.readings import Missing
from copilot_core.samples import SAMPLES_TOPIC, LogSample, Sample, all_missing, decode
from copilot_service import Service
from copilot_streams.kafka import ensure_topics, producing, topics_of_the_line
from copilot_streams.scrapers.main import scrape
from copilot_streams.scrapers.meters import Meters
from copilot_streams.scrapers.outbox import Outbox
from copilot_streams.scrapers.settings import ScraperSettings
from tests.infra.kafka import Kafka
from tests.unit.streams.stand_in import Asked, Reply, standing_in, success, vector

SECONDS = 60
"""Patience of every wait in here; far more than anything takes."""


def settings_for(kafka: Kafka, clusters: Path) -> ScraperSettings:
    return ScraperSettings(
        kafka_bootstrap=kafka.bootstrap,
        clusters_file=clusters,
        clusters_reload_s=0.2,
        scraper_settle_s=0.1,
        scraper_log_settle_s=0.2,
    )


@asynccontextmanager
async def consuming(kafka: Kafka) -> AsyncGenerator[AIOKafkaConsumer]:
    """A consumer of the samples topic, from its beginning; the topics exist from here on."""
    settings = settings_for(kafka, Path("none.toml"))
    await ensure_topics(settings, topics_of_the_line(4))
    consumer = AIOKafkaConsumer(
        SAMPLES_TOPIC, bootstrap_servers=kafka.bootstrap, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


async def until(
    consumer: AIOKafkaConsumer, enough: Callable[[list[Sample | LogSample]], bool]
) -> list[Sample | LogSample]:
    """Everything on the topic until it is enough; each message checked against its key."""
    seen: list[Sample | LogSample] = []
    async with asyncio.timeout(SECONDS):
        while not enough(seen):
            record = await consumer.getone()
            message = decode(record.value, key=record.key)
            assert isinstance(message, Sample | LogSample)
            seen.append(message)
    return seen


@asynccontextmanager
async def running(settings: ScraperSettings) -> AsyncGenerator[Service]:
    """The scraper inside this loop; stopped as by SIGTERM, and it must end well."""
    service = Service("scraper", settings)
    task = asyncio.create_task(service.serve(lambda s: scrape(s, settings)))
    try:
        yield service
    finally:
        service.stopping.set()
        async with asyncio.timeout(SECONDS):
            assert await task == 0


def good(asked: Asked) -> Reply:
    """A Prometheus and a Loki at once: every number is 2, no log line matches."""
    if "/loki/" in asked.path:
        return success({"resultType": "vector", "result": []})
    return vector() if asked.fields["query"] == "count(dsql_pool_open)" else vector("2")


def cluster(name: str, url: str, *, loki: str = "") -> str:
    text = (
        f'[[cluster]]\nid = "{name}"\ninterval_s = 5\n'
        f'[cluster.prometheus]\nurl = "{url}"\n'
        'server_dialect = "otel_ms"\nsdk_dialect = "core_ms"\n'
    )
    if loki:
        text += f'[cluster.loki]\nurl = "{loki}"\nselector = \'{{app="x"}}\'\n'
    return text


def slots(messages: list[Sample | LogSample], name: str, kind: str = "sample") -> list[int]:
    return [m.slot for m in messages if m.cluster == name and m.kind == kind]


@pytest.mark.slow
async def test_every_cluster_has_its_slots_whoever_hangs(own_kafka: Kafka, tmp_path: Path) -> None:
    """One cluster's backend answers, one hangs, one is gone: each has one sample for every slot,
    aligned and in order. The good one is read, the others say why they were not."""
    file = tmp_path / "clusters.toml"
    async with (
        standing_in(good) as fine,
        standing_in(lambda _: Reply(hang=True)) as stuck,
        consuming(own_kafka) as consumer,
    ):
        file.write_text(
            cluster("fine", fine.url, loki=fine.url)
            + cluster("stuck", stuck.url, loki=stuck.url)
            + cluster("gone", "http://127.0.0.1:9")
        )
        async with running(settings_for(own_kafka, file)):
            names = ("fine", "stuck", "gone")
            seen = await until(consumer, lambda m: all(len(slots(m, n)) >= 3 for n in names))
    for name in names:
        of = slots(seen, name)
        assert of == list(range(of[0], of[0] + 5 * len(of), 5))
        assert of[0] % 5 == 0
    last = {m.cluster: m for m in seen if isinstance(m, Sample)}
    assert last["fine"]["frontend_processes"] == 2.0
    assert last["stuck"]["frontend_processes"] is Missing.TIMED_OUT
    assert last["gone"]["frontend_processes"] is Missing.SCRAPE_FAILED
    logs = {m.cluster: m for m in seen if isinstance(m, LogSample)}
    assert logs["fine"].counts == {}
    assert logs["stuck"].missing is Missing.TIMED_OUT
    assert "gone" not in logs


@pytest.mark.slow
async def test_the_clusters_file_is_followed(own_kafka: Kafka, tmp_path: Path) -> None:
    """A cluster that is added is scraped from its next slot on, a bad change changes nothing and is
    counted, a removed cluster ends; the unchanged one misses no slot all along."""
    file = tmp_path / "clusters.toml"
    async with standing_in(good) as fine, consuming(own_kafka) as consumer:
        stays, comes = cluster("stays", fine.url), cluster("comes", fine.url)
        file.write_text(stays)
        async with running(settings_for(own_kafka, file)) as service:
            seen = await until(consumer, lambda m: len(slots(m, "stays")) >= 1)
            file.write_text(stays + comes)
            seen += await until(consumer, lambda m: len(slots(m, "comes")) >= 1)
            file.write_text("cluster = 'nonsense'")
            seen += await until(consumer, lambda m: len(slots(m, "comes")) >= 1)
            refused = service.registry.get_sample_value("copilot_scraper_reloads_refused_total")
            file.write_text(stays)
            await until_watching(service, 1)
            seen += await until(consumer, lambda m: len(slots(m, "stays")) >= 2)
    assert refused == 1.0
    of = slots(seen, "stays")
    assert of == list(range(of[0], of[0] + 5 * len(of), 5))


async def until_watching(service: Service, clusters: int) -> None:
    async with asyncio.timeout(SECONDS):
        while service.registry.get_sample_value("copilot_scraper_clusters") != clusters:
            await asyncio.sleep(0.05)


async def test_a_token_that_is_not_set_keeps_the_old_clusters(
    own_kafka: Kafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token is read from the variable that the file names and sent; a file that names a variable
    that is not set is refused like any other bad change."""
    monkeypatch.setenv("OPS_TOKEN", "s3cret")
    file = tmp_path / "clusters.toml"
    async with standing_in(good) as fine, consuming(own_kafka) as consumer:
        told = cluster("orders", fine.url)
        file.write_text(told + 'bearer_token_env = "OPS_TOKEN"\n')
        async with running(settings_for(own_kafka, file)) as service:
            await until(consumer, lambda m: len(slots(m, "orders")) >= 1)
            file.write_text(told + 'bearer_token_env = "NO_SUCH_TOKEN"\n')
            async with asyncio.timeout(SECONDS):
                while not service.registry.get_sample_value(
                    "copilot_scraper_reloads_refused_total"
                ):
                    await asyncio.sleep(0.05)
            await until(consumer, lambda m: len(slots(m, "orders")) >= 1)
    assert {a.headers["Authorization"] for a in fine.asked} == {"Bearer s3cret"}


def numbered(name: str, number: int) -> Sample:
    return all_missing(
        Missing.NO_SERIES,
        cluster=name,
        slot=1_800_000_000 + 5 * number,
        interval_s=5,
        source="prometheus",
    )


@pytest.mark.parametrize("away", ["kill", "pause"])
async def test_a_broker_that_is_away_costs_no_order(
    own_kafka: Kafka, tmp_path: Path, away: str
) -> None:
    """Samples of two clusters keep coming while the broker is killed or frozen; when it is back all
    of them arrive, per cluster in order. A repeated delivery repeats a slot, never reorders."""
    settings = settings_for(own_kafka, tmp_path / "none.toml").model_copy(
        update={"no_progress_exit_s": 0.0}
    )
    await ensure_topics(settings, topics_of_the_line(4))
    service = Service("scraper", settings)
    async with producing(settings) as producer:
        outbox = Outbox(producer, service, Meters(service.registry), limit=100)
        delivering = asyncio.create_task(outbox.deliver())
        for number in range(60):
            if number == 20:
                await asyncio.to_thread(own_kafka.kill if away == "kill" else own_kafka.pause)
            if number == 40:
                await asyncio.to_thread(own_kafka.restart if away == "kill" else own_kafka.resume)
            outbox.put(numbered("a", number))
            outbox.put(numbered("b", number))
            await asyncio.sleep(0.02)
        async with consuming(own_kafka) as consumer:
            seen = await until(
                consumer,
                lambda m: {s.cluster for s in m if s.slot == numbered("a", 59).slot} == {"a", "b"},
            )
        delivering.cancel()
        await asyncio.wait({delivering})
    for name in ("a", "b"):
        arrived = slots(seen, name)
        assert sorted(arrived) == arrived
        assert list(dict.fromkeys(arrived)) == [numbered(name, n).slot for n in range(60)]


async def test_a_broker_away_too_long_costs_the_oldest(own_kafka: Kafka, tmp_path: Path) -> None:
    """Only the newest messages of each cluster are kept; what was dropped is counted."""
    settings = settings_for(own_kafka, tmp_path / "none.toml")
    await ensure_topics(settings, topics_of_the_line(4))
    service = Service("scraper", settings)
    async with producing(settings) as producer:
        outbox = Outbox(producer, service, Meters(service.registry), limit=10)
        for number in range(35):
            outbox.put(numbered("a", number))
        outbox.put(numbered("b", 0))
        assert outbox.waiting() == 11
        await outbox.drain()
        async with consuming(own_kafka) as consumer:
            seen = await until(consumer, lambda m: len(m) == 11)
    assert slots(seen, "a") == [numbered("a", n).slot for n in range(25, 35)]
    dropped = service.registry.get_sample_value("copilot_scraper_dropped_total", {"cluster": "a"})
    assert dropped == 25.0
