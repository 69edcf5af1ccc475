"""Following, proving and writing out a log, on PostgreSQL where a test can also damage it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import orjson
import pytest

from copilot_core.events import Band, BandChanged, NewEvent, new_event
from copilot_eventlog import audit
from copilot_eventlog.memory import MemoryLog
from copilot_eventlog.postgres import PostgresLog
from copilot_eventlog.protocol import EventLog
from copilot_eventlog.replay import PAGE
from tests.integration.eventlog.contract import SOURCE
from tests.integration.eventlog.databases import postgres_log

SLOT = 1_772_334_000


def real_events(first: int, last: int, *, cluster: str = "a") -> list[NewEvent]:
    """Events whose payloads decode, versions `first` to `last` of one health stream."""
    return [
        new_event(
            BandChanged.model_validate(
                {
                    "slot": SLOT + 30 * n,
                    "from": Band.STARTER,
                    "to": Band.MID,
                    "transitions_per_s": 60.0 + n,
                }
            ),
            cluster=cluster,
            version=n,
        )
        for n in range(first, last + 1)
    ]


@pytest.fixture
async def log(log_dsn: str) -> AsyncGenerator[PostgresLog]:
    async with postgres_log(log_dsn) as log:
        yield log


async def fill(log: EventLog) -> None:
    """Two shards; stream health/a begins in shard 0 and goes on in shard 1."""
    zero = await log.take_over(0, writer="w", source=SOURCE)
    one = await log.take_over(1, writer="w", source=SOURCE)
    await log.append(zero, [*real_events(1, 3), *real_events(1, 2, cluster="b")], source_offset=1)
    await log.append(one, real_events(4, 6), source_offset=1)


def unexpected(finding: audit.Finding) -> None:
    """Fails the test: a good log has no findings."""
    pytest.fail(f"{finding.where}: {finding.what}")


async def findings_of(log: EventLog) -> dict[str, str]:
    """Where to what, as `verify` reports it."""
    found: dict[str, str] = {}
    verified = await audit.verify(log, report=lambda f: found.__setitem__(f.where, f.what))
    assert verified.findings >= len(found)
    return found


async def test_a_good_log_has_no_findings(log: PostgresLog) -> None:
    """A log written by the rules is found whole, also where a stream moved between shards."""
    await fill(log)
    verified = await audit.verify(log, report=unexpected)
    assert verified == audit.Verified(shards=2, streams=2, events=8, findings=0)


DAMAGE = {
    "a missing event": (
        "DELETE FROM es_event WHERE shard = 0 AND pos = 1", "shard 0@1", "missing",
    ),
    "a missing version": (
        "DELETE FROM es_event WHERE shard = 0 AND pos = 1", "health/a#2", "missing",
    ),
    "a missing end": (
        "DELETE FROM es_event WHERE shard = 1 AND pos = 2", "shard 1@2", "the head",
    ),
    "an event behind the head": (
        "UPDATE es_head SET next_pos = 2 WHERE shard = 1", "shard 1@2", "behind the head",
    ),
    "a foreign id": (
        "UPDATE es_event SET event_id = gen_random_uuid() WHERE shard = 0 AND pos = 2",
        "shard 0@2", "does not follow",
    ),
    "a payload that is cut": (
        "UPDATE es_event SET payload = left(payload, 20) WHERE shard = 0 AND pos = 0",
        "shard 0@0", "does not decode",
    ),
    "an unknown type": (
        "UPDATE es_event SET type = 'Nonsense' WHERE shard = 0 AND pos = 0",
        "shard 0@0", "unknown event type",
    ),
    "another time": (
        "UPDATE es_event SET occurred_at = now() WHERE shard = 1 AND pos = 0",
        "shard 1@0", "payload",
    ),
    "a kind that is not the stream's": (
        "UPDATE es_event SET stream_id = 'logs/a' WHERE shard = 1 AND pos = 2",
        "shard 1@2", "does not belong",
    ),
    "a version that happened again": (
        "DROP INDEX es_event_stream; UPDATE es_event SET version = 1 WHERE shard = 1 AND pos = 0",
        "health/a#1", "happened again",
    ),
}  # fmt: skip
"""What is done to the log, and what `verify` then says, and where."""


@pytest.mark.parametrize("damage", DAMAGE)
async def test_damage_is_found(log: PostgresLog, damage: str) -> None:
    """Each kind of damage is reported at its place, in words."""
    sql, where, what = DAMAGE[damage]
    await fill(log)
    await log.pool.execute(sql)
    assert what in (await findings_of(log)).get(where, "nothing")


async def test_verify_beside_a_running_writer() -> None:
    """A log that grows while it is verified has no findings."""
    log = MemoryLog()
    head = await log.take_over(0, writer="w", source=SOURCE)
    for batch in range(0, 3 * PAGE, 500):
        head = await log.append(head, real_events(batch + 1, batch + 500), source_offset=batch)

    async def write() -> None:
        current = head
        for n in range(20):
            version = 3 * PAGE + n + 1
            current = await log.append(current, real_events(version, version), source_offset=n)
            await asyncio.sleep(0)

    verified, _ = await asyncio.gather(audit.verify(log, report=unexpected), write())
    assert verified.events >= 3 * PAGE


async def test_tail_to_the_end(log: PostgresLog) -> None:
    """Without following, tail gives every event behind the given positions, in order, and ends."""
    await fill(log)
    seen = [(e.shard, e.position) async for e in audit.tail(log, after={0: 2}, follow=False)]
    assert seen == [(0, 3), (0, 4), (1, 0), (1, 1), (1, 2)]
    assert [e async for e in audit.tail(log, after=await audit.ends(log), follow=False)] == []


async def test_tail_follows(log: PostgresLog) -> None:
    """A following tail shows what is appended later, also in shards that did not exist before."""
    await fill(log)
    seen: list[tuple[int, int]] = []
    start = await audit.ends(log)

    async def watch() -> None:
        async for event in audit.tail(log, after=start, poll_s=0.01):
            seen.append((event.shard, event.position))
            if len(seen) == 3:
                return

    watching = asyncio.create_task(watch())
    head = await log.take_over(1, writer="w", source=SOURCE)
    await log.append(head, real_events(7, 7), source_offset=2)
    new = await log.take_over(2, writer="w", source=SOURCE)
    await log.append(new, real_events(1, 2, cluster="c"), source_offset=2)
    await asyncio.wait_for(watching, 20)
    assert sorted(seen) == [(1, 3), (2, 0), (2, 1)]


async def test_export_holds_every_event_unchanged(log: PostgresLog) -> None:
    """Each line is one event; its payload is the stored one and its envelope complete."""
    await fill(log)
    lines = [line async for line in audit.export(log)]
    recorded = [e for shard in (0, 1) for e in await log.read(shard)]
    assert len(lines) == len(recorded) == 8
    for line, event in zip(lines, recorded, strict=True):
        assert line.endswith(b"\n")
        assert b'"payload":' + event.payload in line
        fields = orjson.loads(line)
        assert (fields["shard"], fields["position"]) == (event.shard, event.position)
        assert fields["event_id"] == str(event.event_id)
        assert fields["occurred_at"] == event.occurred_at.format_iso()
