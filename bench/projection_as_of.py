"""`as_of_ms`: the full status of a random past instant, on a log of a million events.

One cluster for a year at 30 s cadence, with a transition every 2,000 slots or so: the longest
stream there is, and the farthest way back to the transition that still holds. Each answer goes
through pool, database and the timeline view as in the API; p99 of a thousand random instants.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator
from typing import Any, Final

from whenever import Instant

from bench.result import BenchResult
from copilot_core.events import (
    Band,
    Evidence,
    HealthTransitioned,
    NewEvent,
    SampleRecorded,
    Status,
    Verdict,
    encode,
    new_event,
)
from copilot_core.signals import SIGNAL_LIST, SIGNAL_NAMES
from copilot_eventlog import schema
from copilot_eventlog.connect import open_pool
from copilot_eventlog.postgres import PostgresLog
from copilot_eventlog.settings import EventLogSettings
from copilot_eventlog.statements import Dialect
from copilot_projections import as_of
from copilot_projections.builds import first_build
from copilot_projections.follower import Follower, ends_of
from copilot_projections.reader import ViewReader
from copilot_projections.views import VIEWS
from tests.infra.postgres import Postgres

EVENTS: Final = 1_000_000
INSTANTS: Final = 1_000
FIRST_SLOT: Final = 1_795_435_200
CLUSTER: Final = "orders"


def told() -> Iterator[NewEvent]:
    """A million events of one cluster; only the slot differs from sample to sample."""
    chance, status, slot = random.Random(1), Status.HAPPY, FIRST_SLOT
    bodies = {status: _body(status) for status in (Status.HAPPY, Status.STRESSED)}
    version = 0
    while version < EVENTS:
        slot, version = slot + 30, version + 1
        at, digits = Instant.from_timestamp(slot), b"%d" % slot
        changes = chance.random() < 1 / 2_000
        was, status = status, (_other(status) if changes else status)
        yield NewEvent(
            stream=f"health/{CLUSTER}", version=version, type=SampleRecorded.__name__,
            schema_version=1, occurred_at=at, payload=bodies[status].replace(b"1795435200", digits),
        )  # fmt: skip
        if changes:
            version += 1
            turned = HealthTransitioned(
                slot=slot, from_=was, to=status, gates=(), evidence=Evidence.FRESH,
                band=Band.STARTER, counterfactual="", summary="", rules_digest="d" * 64,
            )  # fmt: skip
            yield new_event(turned, cluster=CLUSTER, version=version)


def _other(status: Status) -> Status:
    return Status.STRESSED if status is Status.HAPPY else Status.HAPPY


def _body(status: Status) -> bytes:
    verdict = Verdict(
        status=status, evidence=Evidence.FRESH, band=Band.STARTER, worst=status,
        bands=(Band.STARTER, Band.STARTER), rules_digest="d" * 64,
    )  # fmt: skip
    return encode(
        SampleRecorded(
            slot=FIRST_SLOT, interval_s=30, source="prometheus", signals=SIGNAL_LIST,
            readings=[12.345] * len(SIGNAL_NAMES), verdict=verdict,
        )
    )  # fmt: skip


async def _filled(log: PostgresLog) -> None:
    await schema.apply(log.pool, Dialect.POSTGRES)
    head = await log.take_over(0, writer="bench", source="bench")
    batch: list[NewEvent] = []
    for event in told():
        batch.append(event)
        if len(batch) == 2_000:
            head, batch = await log.append(head, batch, source_offset=event.version), []
    await log.append(head, batch, source_offset=EVENTS)
    view = VIEWS["timeline"]
    build = await first_build(log.pool, view, dialect=Dialect.POSTGRES)
    follower = Follower(log, log.pool, view=view, build=build, owner="bench", batch_events=5_000)
    await follower.catch_up(await ends_of(log))


async def latencies_ms(dsn: str) -> list[float]:
    """How long each answer took, in order."""
    settings = EventLogSettings.model_validate({"log_dsn": dsn, "log_command_timeout_s": 60})
    pool = await open_pool(settings)
    log = PostgresLog(pool)
    try:
        await _filled(log)
        views, chance, took = ViewReader(pool), random.Random(2), []
        for _ in range(INSTANTS):
            at = Instant.from_timestamp(FIRST_SLOT + 60 + chance.randrange(EVENTS * 29))
            began = time.perf_counter()
            found = await as_of.full_status(log, CLUSTER, at, views=views)
            took.append((time.perf_counter() - began) * 1000)
            assert found is not None
            assert 0 <= at.timestamp() - found.at.timestamp() < 30
    finally:
        await log.close()
    return sorted(took)


def run() -> Iterator[dict[str, Any]]:
    """Fill the log, then ask."""
    with Postgres() as postgres:
        took = asyncio.run(latencies_ms(postgres.dsn(postgres.create_database())))
    yield BenchResult(
        name="as_of_ms",
        value=round(took[int(len(took) * 0.99)], 2),
        unit="ms, p99",
        reference="p50 of the same answers",
        reference_value=round(took[len(took) // 2], 2),
    ).as_dict()
