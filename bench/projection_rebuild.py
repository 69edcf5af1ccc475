"""`rebuild_vs_eventsourcing`: rebuild a view of 2,000 rows, and the same with `eventsourcing`.

The events are samples of 2,000 clusters, one slot after the other, with a transition now and then:
about 1.1 kB each. Ours is the rebuild of the view `clusters` as `copilot views rebuild` does it.
The reference is the library's `ProjectionRunner` over the same payloads in its own application
recorder, filling a table of the same columns; it commits event by event, which is its design, so it
is given the first events only and both are compared as rates.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from eventsourcing.application import Application
from eventsourcing.persistence import StoredEvent, Tracking
from eventsourcing.postgres import PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from psycopg.sql import SQL, Identifier

from bench.result import BenchResult
from copilot_core.events import (
    Band,
    Evidence,
    HealthTransitioned,
    NewEvent,
    SampleRecorded,
    Status,
    Verdict,
    decode,
    new_event,
)
from copilot_core.signals import SIGNAL_LIST, SIGNAL_NAMES
from copilot_eventlog import schema
from copilot_eventlog.connect import open_pool
from copilot_eventlog.postgres import PostgresLog
from copilot_eventlog.settings import EventLogSettings
from copilot_eventlog.statements import Dialect
from copilot_projections.rebuild import rebuild
from copilot_projections.views import VIEWS
from tests.infra.postgres import Postgres

CLUSTERS: Final = 2_000
SLOTS: Final = 30
FIRST_SLOT: Final = 1_795_435_200
SERVICES: Final = ("dsql", "frontend", "history", "matching", "workers")
REFERENCE_EVENTS: Final = 4_000
ROUNDS: Final = 3
VIEW: Final = VIEWS["clusters"]


def events() -> list[NewEvent]:
    """Samples of every cluster, slot by slot, and a transition in one of fifty."""
    chance, versions = random.Random(1), [0] * CLUSTERS
    verdict = Verdict(
        status=Status.HAPPY, evidence=Evidence.FRESH, band=Band.STARTER, worst=Status.HAPPY,
        bands=(Band.STARTER, Band.STARTER), rules_digest="d" * 64,
        services=dict.fromkeys(SERVICES, ("ok", "low")),
    )  # fmt: skip
    told: list[NewEvent] = []
    for slot in range(FIRST_SLOT, FIRST_SLOT + SLOTS * 30, 30):
        for n in range(CLUSTERS):
            sample = SampleRecorded(
                slot=slot, interval_s=30, source="prometheus", signals=SIGNAL_LIST, verdict=verdict,
                readings=[round(chance.random() * 100, 4) for _ in SIGNAL_NAMES],
            )  # fmt: skip
            changed = HealthTransitioned(
                slot=slot, from_=Status.HAPPY, to=Status.STRESSED, gates=(), band=Band.STARTER,
                evidence=Evidence.FRESH, counterfactual="", summary="", rules_digest="d" * 64,
            )  # fmt: skip
            for event in (sample, changed) if chance.random() < 0.02 else (sample,):
                versions[n] += 1
                told.append(new_event(event, cluster=f"cluster-{n:04}", version=versions[n]))
    return told


async def fill(dsn: str, told: list[NewEvent]) -> None:
    """Put the events into our log."""
    log = await _log(dsn)
    await schema.apply(log.pool, Dialect.POSTGRES)
    head = await log.take_over(0, writer="bench", source="bench")
    for i in range(0, len(told), 500):
        head = await log.append(head, told[i : i + 500], source_offset=i)
    await log.close()


async def ours(dsn: str, count: int) -> float:
    """Events per second of one rebuild from the first event, its digest included."""
    log = await _log(dsn)
    began = time.perf_counter()
    made = await rebuild(log, log.pool, VIEW, dialect=Dialect.POSTGRES, owner="bench")
    took_s = time.perf_counter() - began
    await log.close()
    assert made.new.tables[0].rows == CLUSTERS
    return count / took_s


async def _log(dsn: str) -> PostgresLog:
    settings = EventLogSettings.model_validate({"log_dsn": dsn, "log_command_timeout_s": 60})
    return PostgresLog(await open_pool(settings))


class Clusters(PostgresTrackingRecorder):
    """The reference's view: the columns of ours, written together with the tracking position."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.table = SQL("{0}.reference_clusters").format(Identifier(self.datastore.schema))
        self.sql_create_statements.append(
            SQL(
                "CREATE TABLE IF NOT EXISTS {0} (cluster text PRIMARY KEY, status text,"
                " since bigint, evidence text, worst text, band text, bottleneck text,"
                " last_slot bigint, interval_s integer, source text, rules_digest text)"
            ).format(self.table)
        )

    def seen(self, cluster: str, sample: SampleRecorded, tracking: Tracking) -> None:
        """A sample of a cluster."""
        v = sample.verdict
        self._write(
            SQL(
                "INSERT INTO {0} VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
                " ON CONFLICT (cluster) DO UPDATE SET status = excluded.status,"
                " evidence = excluded.evidence, worst = excluded.worst, band = excluded.band,"
                " bottleneck = excluded.bottleneck, last_slot = excluded.last_slot,"
                " interval_s = excluded.interval_s, source = excluded.source,"
                " rules_digest = excluded.rules_digest"
            ),
            (
                cluster, v.status, sample.slot, v.evidence, v.worst, v.band, v.bottleneck,
                sample.slot, sample.interval_s, sample.source, v.rules_digest,
            ),
            tracking,
        )  # fmt: skip

    def turned(self, cluster: str, slot: int, tracking: Tracking) -> None:
        """The status of a cluster changed."""
        sql = SQL("UPDATE {0} SET since = %s WHERE cluster = %s")
        self._write(sql, (slot, cluster), tracking)

    def _write(self, sql: SQL, values: tuple[Any, ...], tracking: Tracking) -> None:
        with self.datastore.get_connection() as con, con.transaction(), con.cursor() as cursor:
            self._insert_tracking(cursor, tracking=tracking)
            cursor.execute(sql.format(self.table), values)


class Told:
    """What the reference's mapper gives: the same payload, decoded by the same function."""

    def __init__(self, stream: str, event: SampleRecorded | HealthTransitioned) -> None:
        self.cluster = stream.partition("/")[2]
        self.event = event


class Line(Application):
    """The reference's application: only its recorder and its mapper are used."""

    def construct_mapper(self) -> Any:
        """A mapper that decodes the payload with our own function, as our views do."""

        class Mapper:
            def to_domain_event(self, stored: StoredEvent) -> Told:
                stream, _, payload = stored.state.partition(b"\n")
                event = decode(stored.topic, 1, payload)
                assert isinstance(event, (SampleRecorded, HealthTransitioned))
                return Told(stream.decode(), event)

        return Mapper()


class ClustersProjection(Projection[Clusters]):
    """The reference's projection."""

    name = "clusters"

    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        """Write one event into the view."""
        match domain_event.event:
            case SampleRecorded() as sample:
                self.view.seen(domain_event.cluster, sample, tracking)
            case HealthTransitioned() as transition:
                self.view.turned(domain_event.cluster, transition.slot, tracking)


def reference(postgres: Postgres, database: str, told: list[NewEvent]) -> float:
    """Events per second of the library's runner."""
    host, _, port = postgres.dsn(database).rpartition("/")[0].rpartition("@")[2].partition(":")
    env = {
        "PERSISTENCE_MODULE": "eventsourcing.postgres", "POSTGRES_DBNAME": database,
        "POSTGRES_HOST": host, "POSTGRES_PORT": port, "POSTGRES_USER": "postgres",
        "POSTGRES_PASSWORD": "unused",
    }  # fmt: skip
    line = Line(env=env)
    stored = [
        StoredEvent(
            originator_id=uuid5(NAMESPACE_URL, event.stream), originator_version=event.version,
            topic=event.type, state=event.stream.encode() + b"\n" + event.payload,
        )
        for event in told
    ]  # fmt: skip
    for i in range(0, len(stored), 500):
        line.recorder.insert_events(stored[i : i + 500])
    last = line.recorder.max_notification_id()
    began = time.perf_counter()
    with ProjectionRunner(
        application_class=Line, projection_class=ClustersProjection, view_class=Clusters, env=env
    ) as runner:
        runner.wait(last, timeout=120)
        took_s = time.perf_counter() - began
    line.close()
    return len(told) / took_s


def run() -> Iterator[dict[str, Any]]:
    """Measure both on one server, in rounds that alternate."""
    told = events()
    mine: list[float] = []
    theirs: list[float] = []
    with Postgres() as postgres:
        dsn = postgres.dsn(postgres.create_database())
        asyncio.run(fill(dsn, told))
        for _ in range(ROUNDS):
            mine.append(asyncio.run(ours(dsn, len(told))))
            theirs.append(reference(postgres, postgres.create_database(), told[:REFERENCE_EVENTS]))
    yield BenchResult.of_rounds(
        "rebuild_vs_eventsourcing",
        "events/s",
        ours=mine,
        reference="eventsourcing ProjectionRunner, the same events and columns",
        theirs=theirs,
    ).as_dict()
