"""The process `copilot run scraper`: asks every watched cluster, every slot, and puts it on Kafka.

    clusters file -> per cluster: a round for metrics, one for logs -> outbox -> copilot.samples.v1

A reload of the clusters file ends the rounds of clusters that are gone or changed after their slot
and begins the others; clusters that did not change notice nothing.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Final

import httpx
import structlog
from botocore.session import Session

from copilot_core.errors import Rejected
from copilot_service import Service, read_settings
from copilot_streams.clusters import AmpBackend, Cluster, ClustersFile, LokiBackend
from copilot_streams.kafka import producing
from copilot_streams.scrapers.amp import AmpAuth
from copilot_streams.scrapers.backend import Backend, client_for
from copilot_streams.scrapers.dialects import DialectMemory
from copilot_streams.scrapers.loki import LogSelection, LokiScraper
from copilot_streams.scrapers.meters import Meters
from copilot_streams.scrapers.outbox import Outbox
from copilot_streams.scrapers.prometheus import PrometheusScraper
from copilot_streams.scrapers.rounds import Round, Rounds
from copilot_streams.scrapers.settings import ScraperSettings, token_in

log = structlog.get_logger(__name__)

END_S: Final = 5.0
"""Time for the slots that are being scraped when a watch ends; what is not read then is lost."""


class Watch:
    """One watched cluster: its HTTP clients, and its rounds as tasks."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.clients = AsyncExitStack()
        self._running: list[tuple[Rounds, asyncio.Task[None]]] = []

    def begin(self, rounds: Rounds) -> None:
        """Run rounds until the watch ends."""
        name = f"rounds of {self.cluster.id}"
        self._running.append((rounds, asyncio.create_task(rounds.run(), name=name)))

    def on_time(self) -> bool:
        """True when no round is overdue; raises the error that ended one by itself."""
        for _, task in self._running:
            if task.done():
                task.result()
        return all(rounds.on_time() for rounds, _ in self._running)

    async def end(self) -> None:
        """Let the slots that are being scraped end, then close the clients."""
        for rounds, _ in self._running:
            rounds.stop()
        tasks = [task for _, task in self._running]
        _, late = await asyncio.wait(tasks, timeout=END_S)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        await self.clients.aclose()


class Scrapers:
    """All watches of this process, kept in step with the clusters file."""

    def __init__(self, settings: ScraperSettings, service: Service, outbox: Outbox, meters: Meters):
        self._settings = settings
        self._service = service
        self._outbox = outbox
        self._meters = meters
        self._aws = Session()
        self._watches: dict[str, Watch] = {}

    async def follow(self, clusters: tuple[Cluster, ...]) -> None:
        """Watch exactly these clusters. Raises `Rejected`, before anything changed, for a token
        that is not there."""
        for cluster in clusters:
            tokens_of(cluster)
        wanted = {cluster.id: cluster for cluster in clusters}
        ending = [w for w in self._watches.values() if wanted.get(w.cluster.id) != w.cluster]
        await asyncio.gather(*(watch.end() for watch in ending))
        for watch in ending:
            del self._watches[watch.cluster.id]
        for cluster in clusters:
            if cluster.id not in self._watches:
                self._watches[cluster.id] = self._begin(cluster)
        self._meters.clusters.set(len(self._watches))
        log.info("watching", clusters=sorted(self._watches))

    async def end(self) -> None:
        """End all watches."""
        await asyncio.gather(*(watch.end() for watch in self._watches.values()))

    def on_time(self) -> bool:
        """True when no round is overdue. Raises the error that broke one: a process that scrapes
        less than it should must stop."""
        return all(watch.on_time() for watch in self._watches.values())

    def _begin(self, cluster: Cluster) -> Watch:
        watch = Watch(cluster)
        rounds = [self._metrics_round(cluster, watch.clients)]
        if cluster.loki is not None:
            rounds.append(self._log_round(cluster, cluster.loki, watch.clients))
        for one in rounds:
            watch.begin(Rounds(one, self._outbox.put, self._service, self._meters))
        return watch

    def _metrics_round(self, cluster: Cluster, clients: AsyncExitStack) -> Round:
        settings, told = self._settings, cluster.metrics
        settle_s = min(settings.scraper_settle_s, cluster.interval_s / 2)
        headers, auth = dict(told.headers), None
        if isinstance(told, AmpBackend):
            auth = AmpAuth(self._aws, region=told.region)
        else:
            headers |= bearer(told.bearer_token_env, cluster.id)
        scraper = PrometheusScraper(
            self._backend(told.url, headers, auth, clients),
            DialectMemory(
                cluster=cluster.id,
                server=told.server,
                sdk=told.sdk,
                instance_label=told.instance_label,
                again_s=settings.scraper_dialect_again_s,
            ),
            cluster=cluster.id,
            source=told.kind,
            interval_s=cluster.interval_s,
            scrape_interval_s=told.scrape_interval_s,
            concurrency=settings.scraper_concurrency,
            deadline_s=self._deadline_s(cluster, settle_s),
        )
        return Round(cluster.id, "sample", told.kind, cluster.interval_s, settle_s, scraper.scrape)

    def _log_round(self, cluster: Cluster, told: LokiBackend, clients: AsyncExitStack) -> Round:
        settings = self._settings
        settle_s = min(settings.scraper_log_settle_s, cluster.interval_s / 2)
        headers = dict(told.headers) | bearer(told.bearer_token_env, cluster.id)
        scraper = LokiScraper(
            self._backend(told.url, headers, None, clients),
            LogSelection(told.selector, told.service_label),
            cluster=cluster.id,
            interval_s=cluster.interval_s,
            concurrency=settings.scraper_concurrency,
            deadline_s=self._deadline_s(cluster, settle_s),
        )
        return Round(cluster.id, "log_sample", "loki", cluster.interval_s, settle_s, scraper.scrape)

    def _backend(
        self, url: str, headers: dict[str, str], auth: httpx.Auth | None, clients: AsyncExitStack
    ) -> Backend:
        settings = self._settings
        client = client_for(
            url, headers=headers, auth=auth, connections=settings.scraper_concurrency
        )
        clients.push_async_callback(client.aclose)
        return Backend(
            client,
            timeout_s=settings.scraper_query_timeout_s,
            max_bytes=settings.scraper_max_answer_bytes,
        )

    def _deadline_s(self, cluster: Cluster, settle_s: float) -> float:
        """A slot's queries end before the next slot's begin, with a tenth of the slot to spare."""
        return min(self._settings.scraper_deadline_s, 0.9 * cluster.interval_s - settle_s)


def bearer(variable: str | None, cluster: str) -> dict[str, str]:
    """The header that carries the token of a variable; nothing when there is no variable."""
    return {"Authorization": f"Bearer {token_in(variable, cluster=cluster)}"} if variable else {}


def tokens_of(cluster: Cluster) -> None:
    """Raise `Rejected` when a token that the cluster needs is not in the environment."""
    for backend in (cluster.prometheus, cluster.loki):
        if backend is not None:
            bearer(backend.bearer_token_env, cluster.id)


async def scrape(service: Service, settings: ScraperSettings) -> None:
    """Scrape until the service stops. Raises `Rejected` for a wrong clusters file at start and
    `Unavailable` when no broker answers at start."""
    file = ClustersFile(settings.clusters_file)
    meters = Meters(service.registry)
    async with producing(settings) as producer:
        outbox = Outbox(producer, service, meters, limit=settings.scraper_buffer_slots)
        scrapers = Scrapers(settings, service, outbox, meters)
        delivering = asyncio.create_task(outbox.deliver(), name="outbox")
        try:
            await scrapers.follow(file.current)
            service.set_ready("clusters", True)
            service.set_ready("kafka", True)
            while not await _stopping_within(service, settings.clusters_reload_s):
                if delivering.done():
                    delivering.result()
                if scrapers.on_time() and outbox.moving():
                    service.progress()
                await _reload(file, scrapers, meters)
        finally:
            await scrapers.end()
            delivering.cancel()
            await asyncio.wait({delivering})
        await outbox.drain()


async def _stopping_within(service: Service, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await service.stopping.wait()
    except TimeoutError:
        return False
    return True


async def _reload(file: ClustersFile, scrapers: Scrapers, meters: Meters) -> None:
    """Take a changed clusters file over, or say why not and stay with the old one."""
    try:
        if file.changed():
            await scrapers.follow(file.current)
    except Rejected as e:
        meters.reloads_refused.inc()
        log.warning("clusters file refused", where=e.where, findings=e.findings, todo=e.todo)


def main() -> int:
    """Run the process; returns its exit code. Raises `Rejected` for wrong settings."""
    settings = read_settings(ScraperSettings)
    return Service("scraper", settings).run(lambda service: scrape(service, settings))
