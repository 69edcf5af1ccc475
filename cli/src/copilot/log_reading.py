"""Ways through the log: the latest events, what comes next, everything about one cluster."""

from __future__ import annotations

import asyncio
import gzip
import os
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Final

import orjson
from whenever import Instant

from copilot.log_audit import PAGE, events_of
from copilot.timeline import OBSERVATIONS
from copilot.times import rfc3339
from copilot_core.events import STREAM_KINDS, RecordedEvent, TransitionExplained
from copilot_eventlog.protocol import EventLog

POLL_S: Final = 0.5
LOOK_BACK: Final = 200
"""Positions read per decision wanted: a quiet cluster records some hundred slots between two."""


OUT_OF_TURN: Final = frozenset({TransitionExplained.stream_kind})
"""Kinds of streams that are not in event time: a model's words of yesterday's transition come
behind the rules' words of today's, when it was away. Some 5 kB an event, and all of them are read.
"""


def shown(event: RecordedEvent, *, everything: bool) -> bool:
    """Whether an event belongs into a timeline: decisions do, the per-slot records on demand."""
    return everything or event.type not in OBSERVATIONS


async def latest(
    log: EventLog, *, limit: int, everything: bool
) -> tuple[list[RecordedEvent], dict[int, int]]:
    """The last events over all shards by event time, and the last position of each shard."""
    positions: dict[int, int] = {}
    found: list[RecordedEvent] = []
    for shard in await log.shards():
        head = await log.head(shard)
        last = head.next_position - 1 if head else -1
        positions[shard] = last
        back = limit if everything else limit * LOOK_BACK
        async for event in events_of(log, shard=shard, after=max(last - back, -1)):
            if shown(event, everything=everything):
                found.append(event)
            positions[shard] = event.position
    found.sort(key=lambda e: (e.occurred_at, e.shard, e.position))
    return found[-limit:], positions


async def followed(
    log: EventLog, positions: Mapping[int, int], *, everything: bool
) -> AsyncIterator[RecordedEvent]:
    """What is appended behind the given positions, shard by shard, for ever."""
    after = dict(positions)
    while True:
        moved = False
        for shard in await log.shards():
            for event in await log.read(shard, after=after.get(shard, -1), limit=PAGE):
                after[shard], moved = event.position, True
                if shown(event, everything=everything):
                    yield event
        if not moved:
            await asyncio.sleep(POLL_S)


async def about(
    log: EventLog,
    cluster: str,
    *,
    from_: Instant | None,
    to: Instant | None,
    everything: bool,
) -> AsyncIterator[RecordedEvent]:
    """The events about one cluster in event time, of one instant in the order of `STREAM_KINDS`."""
    streams = [
        (_stream if kind not in OUT_OF_TURN else _sorted_stream)(
            log, f"{kind}/{cluster}", from_=from_, to=to
        )
        for kind in STREAM_KINDS
    ]
    waiting = [(event, s) for s in streams if (event := await anext(s, None)) is not None]
    while waiting:
        at = min(range(len(waiting)), key=lambda i: waiting[i][0].occurred_at)
        event, stream = waiting[at]
        following = await anext(stream, None)
        waiting[at : at + 1] = [] if following is None else [(following, stream)]
        if shown(event, everything=everything):
            yield event


async def _stream(
    log: EventLog, stream: str, *, from_: Instant | None, to: Instant | None
) -> AsyncIterator[RecordedEvent]:
    after = 0 if from_ is None else await _version_before(log, stream, from_)
    while page := await log.read_stream(stream, after=after, limit=PAGE):
        for event in page:
            if to is not None and event.occurred_at > to:
                return
            if from_ is None or event.occurred_at >= from_:
                yield event
        after = page[-1].version


async def _sorted_stream(
    log: EventLog, stream: str, *, from_: Instant | None, to: Instant | None
) -> AsyncIterator[RecordedEvent]:
    """The events of a stream that is not in event time, in event time."""
    found: list[RecordedEvent] = []
    after = 0
    while page := await log.read_stream(stream, after=after, limit=PAGE):
        found += [
            event
            for event in page
            if (from_ is None or event.occurred_at >= from_)
            and (to is None or event.occurred_at <= to)
        ]
        after = page[-1].version
    for event in sorted(found, key=lambda e: (e.occurred_at, e.version)):
        yield event


async def _version_before(log: EventLog, stream: str, at: Instant) -> int:
    """A version before which every event is older than `at`: found by halving, not by reading."""
    newest = await log.read_stream(stream, limit=1, newest_first=True)
    low, high = 0, newest[0].version if newest else 0
    while low < high:
        middle = (low + high) // 2
        event = (await log.read_stream(stream, after=middle, limit=1))[0]
        if event.occurred_at < at:
            low = middle + 1
        else:
            high = middle
    return low


async def write_export(log: EventLog, out: Path, *, cluster: str | None) -> int:
    """Write all events, or those about one cluster, to a gzip file; returns how many.

    One JSON object a line: the envelope, and the payload as `data`. The file appears when complete.
    """
    part = out.with_name(out.name + ".part")
    count = 0
    try:
        with gzip.GzipFile(part, mode="wb", mtime=0) as lines:
            for shard in await log.shards():
                async for event in events_of(log, shard=shard):
                    if cluster in (None, event.cluster):
                        lines.write(orjson.dumps(_envelope(event)) + b"\n")
                        count += 1
        os.replace(part, out)
    finally:
        part.unlink(missing_ok=True)
    return count


def _envelope(event: RecordedEvent) -> dict[str, object]:
    return {
        "event_id": str(event.event_id),
        "stream": event.stream,
        "version": event.version,
        "shard": event.shard,
        "position": event.position,
        "type": event.type,
        "schema_version": event.schema_version,
        "occurred_at": rfc3339(event.occurred_at),
        "recorded_at": rfc3339(event.recorded_at),
        "causation": None
        if event.causation is None
        else {
            "topic": event.causation.topic,
            "partition": event.causation.partition,
            "offset": event.causation.offset,
        },
        "data": orjson.Fragment(event.payload),
    }
