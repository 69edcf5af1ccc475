"""How fast events become durable, beside raw pgbench and the `eventsourcing` library.

All send events of 1 kB, 100 in a transaction, to the same server with fsync on. Ours is one process
that writes two shards, so one append is under way while the next is being put together. pgbench
has one connection: it inserts into the same table with the same index, sends each payload, leaves
the rest of a row to the server, and checks no head. `eventsourcing` is asked through its
application recorder, which serialises writers with a table lock, so one is its fastest. Rounds
alternate; the figure is the median.
"""

from __future__ import annotations

import asyncio
import gc
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from urllib.parse import urlsplit

import orjson
from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from whenever import Instant

from bench.result import BenchResult
from copilot_core.events import Causation, NewEvent
from copilot_eventlog import schema
from copilot_eventlog.connect import open_pool
from copilot_eventlog.postgres import PostgresLog
from copilot_eventlog.settings import EventLogSettings
from copilot_eventlog.statements import Dialect
from tests.infra.postgres import Postgres

ROUNDS: Final = 5
SHARDS: Final = 2
BATCH: Final = 100
BATCHES: Final = 200
"""Per shard and round: 40,000 events, half a second where the disk is quick."""
PGBENCH_S: Final = 2
PAYLOAD: Final = orjson.dumps(
    {"readings": [round(n * 1.2345, 3) for n in range(110)], "text": "x" * 230}
)
"""About 1 kB, as a recorded sample has."""

_RAW_INSERT: Final = f"""
INSERT INTO es_event (shard, pos, stream_id, version, event_id, type, schema_version, source_offset,
                      occurred_at, recorded_at, meta, payload)
SELECT 0, nextval('bench_position'), 'health/cluster-0', currval('bench_position'),
       '6f1f0e0c-3b0a-5d57-9c43-7c2a52d1d0a1', 'SampleRecorded', 1, currval('bench_position'),
       now(), now(), '{{"partition":0,"topic":"copilot.samples.v1"}}', payload
FROM (VALUES {", ".join(["(:payload)"] * BATCH)}) AS sent (payload);
"""
"""With prepared statements pgbench binds every `:payload` by itself, so it sends each row's."""


def run() -> Iterator[dict[str, Any]]:
    """Measure; yields `append_vs_pgbench` and `append_vs_eventsourcing`."""
    with Postgres() as server, TemporaryDirectory() as folder:
        script = Path(folder) / "append.sql"
        script.write_text(_RAW_INSERT)
        ours, raw, library = [], [], []
        for _ in range(ROUNDS):
            raw.append(_with_database(server, lambda dsn: pgbench(server, dsn, script)))
            ours.append(_with_database(server, lambda dsn: asyncio.run(append(dsn))))
            library.append(_with_database(server, eventsourcing_append))
    yield BenchResult.of_rounds(
        "append_vs_pgbench",
        "events/s",
        ours=ours,
        reference=f"pgbench -c 1 -M prepared, INSERT of {BATCH} rows a transaction",
        theirs=raw,
    ).as_dict()
    yield BenchResult.of_rounds(
        "append_vs_eventsourcing",
        "events/s",
        ours=ours,
        reference=f"eventsourcing PostgresApplicationRecorder, {BATCH} events a call",
        theirs=library,
    ).as_dict()


async def append(dsn: str) -> float:
    """Events per second through `PostgresLog.append`, one append in flight per shard."""
    pool = await open_pool(EventLogSettings.model_validate({"log_dsn": dsn}))
    await schema.apply(pool, Dialect.POSTGRES)
    log = PostgresLog(pool)
    batches = {shard: list(_batches(shard)) for shard in range(SHARDS)}
    heads = {
        shard: await log.take_over(shard, writer="bench", source="copilot.samples.v1@bench")
        for shard in batches
    }

    async def write(shard: int) -> None:
        head = heads[shard]
        for number, batch in enumerate(batches[shard]):
            head = await log.append(head, batch, source_offset=number)

    gc.collect()
    gc.freeze()  # a worker does not hold tens of thousands of events for the collector to visit
    begun = time.perf_counter()
    await asyncio.gather(*(write(shard) for shard in batches))
    took_s = time.perf_counter() - begun
    await log.close()
    return SHARDS * BATCHES * BATCH / took_s


def pgbench(server: Postgres, dsn: str, script: Path) -> float:
    """Rows per second that pgbench inserts with its prepared statements."""
    asyncio.run(_make_tables(dsn))
    server.execute("CREATE SEQUENCE bench_position CACHE 1000", database=urlsplit(dsn).path[1:])
    done = subprocess.run(
        [server.bin / "pgbench", "-n", "-M", "prepared", "-c", "1",
         "-T", str(PGBENCH_S), "-D", f"payload={PAYLOAD.decode()}", "-f", script, dsn],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    tps = next(line for line in done.stdout.splitlines() if line.startswith("tps"))
    return float(tps.split()[2]) * BATCH


def eventsourcing_append(dsn: str) -> float:
    """Events per second through the library's application recorder."""
    recorder = recorder_of(dsn)
    batches = [
        [StoredEvent(e.event_id, 1, e.type, e.payload) for e in batch] for batch in _batches(0)
    ]
    begun = time.perf_counter()
    for batch in batches:
        recorder.insert_events(batch)
    took_s = time.perf_counter() - begun
    recorder.datastore.close()
    return BATCHES * BATCH / took_s


def recorder_of(dsn: str) -> PostgresApplicationRecorder:
    """The library's recorder on an empty database."""
    place = urlsplit(dsn)
    datastore = PostgresDatastore(
        place.path[1:], place.hostname or "", place.port or 5432, place.username or "", ""
    )
    recorder = PostgresApplicationRecorder(datastore, events_table_name="bench_events")
    recorder.create_table()
    return recorder


def _batches(shard: int) -> Iterator[list[NewEvent]]:
    for first in range(1, BATCHES * BATCH, BATCH):
        yield [event_of(shard, version) for version in range(first, first + BATCH)]


def event_of(shard: int, version: int) -> NewEvent:
    """The n-th event of a shard's one stream."""
    return NewEvent(
        stream=f"health/cluster-{shard}",
        version=version,
        type="SampleRecorded",
        schema_version=1,
        occurred_at=Instant.from_timestamp(1_772_334_000 + 30 * version),
        payload=PAYLOAD,
        causation=Causation("copilot.samples.v1", shard, version),
    )


async def _make_tables(dsn: str) -> None:
    pool = await open_pool(EventLogSettings.model_validate({"log_dsn": dsn}))
    await schema.apply(pool, Dialect.POSTGRES)
    await pool.close()


def _with_database(server: Postgres, measure: Any) -> float:
    name = server.create_database()
    try:
        return measure(server.dsn(name))
    finally:
        server.drop_database(name)
