"""The log as a whole: follow it, prove it, write it out. Two pages of events in memory at a time.

Everything here goes through the protocol, so it works on any log; a log that grows meanwhile is
read to where its heads stood at the beginning, except by `tail`, which goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass

import orjson

from copilot_core.errors import Rejected
from copilot_core.events import RecordedEvent, cluster_of, event_id, occurred_at, stream_of
from copilot_eventlog import replay
from copilot_eventlog.protocol import EventLog


@dataclass(frozen=True, slots=True)
class Finding:
    """Something in the log that cannot be: where (`shard 3@17`, `health/a#9`) and what."""

    where: str
    what: str


@dataclass(frozen=True, slots=True)
class Verified:
    """What was looked at, and how much was found wrong."""

    shards: int
    streams: int
    events: int
    findings: int


async def ends(log: EventLog) -> dict[int, int]:
    """The last position of every shard, -1 for an empty one: where `tail` shows only what comes."""
    heads = [await log.head(shard) for shard in await log.shards()]
    return {head.shard: head.next_position - 1 for head in heads if head is not None}


async def tail(
    log: EventLog,
    *,
    after: Mapping[int, int] | None = None,
    follow: bool = True,
    poll_s: float = 0.5,
) -> AsyncIterator[RecordedEvent]:
    """Events behind the positions in `after` (shard to position; from the start where not named).

    In order within a shard. With `follow` it never ends, looks for more every `poll_s` seconds, and
    finds shards that appear; without, it ends where the log ends.
    """
    read_to = dict(after or {})
    while True:
        for shard in await log.shards():
            while page := await log.read(shard, after=read_to.get(shard, -1), limit=replay.PAGE):
                for event in page:
                    yield event
                read_to[shard] = page[-1].position
        if not follow:
            return
        await asyncio.sleep(poll_s)


async def export(log: EventLog) -> AsyncIterator[bytes]:
    """The whole log as JSON lines, shard by shard, up to where it stands now; see `json_line`."""
    for shard, last in (await ends(log)).items():
        async for event in replay.events(log, shard, to=last):
            yield json_line(event)


def json_line(event: RecordedEvent) -> bytes:
    """One event with its envelope as a line of JSON; the payload's bytes stand in it unchanged."""
    cause = event.causation
    envelope = {
        "shard": event.shard,
        "position": event.position,
        "stream": event.stream,
        "version": event.version,
        "event_id": str(event.event_id),
        "type": event.type,
        "schema_version": event.schema_version,
        "occurred_at": event.occurred_at.format_iso(),
        "recorded_at": event.recorded_at.format_iso(),
        "causation": cause
        and {"topic": cause.topic, "partition": cause.partition, "offset": cause.offset},
        "payload": orjson.Fragment(event.payload),
    }
    return orjson.dumps(envelope, option=orjson.OPT_APPEND_NEWLINE)


async def verify(log: EventLog, *, report: Callable[[Finding], None]) -> Verified:
    """Look at every event and tell `report` what cannot be; returns how much was looked at.

    Checked: positions of a shard are dense and end at its head; versions of a stream are dense from
    1 and happen once, also when the stream moved between shards; ids follow from stream and
    version; payloads decode, and say the same time and kind as their envelope.
    """
    counted = _Counted(report)
    streams: dict[str, _Versions] = {}
    events = 0
    ending = await ends(log)
    for shard, last in ending.items():
        expected = 0
        async for event in replay.events(log, shard, to=last):
            if event.position != expected:
                counted(f"shard {shard}@{expected}", f"missing up to position {event.position - 1}")
            expected = event.position + 1
            streams.setdefault(event.stream, _Versions()).add(event.version)
            _check_event(event, counted)
            events += 1
        if expected <= last:
            counted(f"shard {shard}@{expected}", f"missing; the head stands at {last + 1}")
        await _check_end(log, shard, last, counted)
    for stream, versions in streams.items():
        versions.check(stream, counted)
    return Verified(len(ending), len(streams), events, counted.findings)


class _Counted:
    def __init__(self, report: Callable[[Finding], None]) -> None:
        self._report = report
        self.findings = 0

    def __call__(self, where: str, what: str) -> None:
        self.findings += 1
        self._report(Finding(where, what))


class _Versions:
    """The versions of one stream that were seen, as runs: one a shard unless something is wrong."""

    def __init__(self) -> None:
        self._runs: list[tuple[int, int]] = []

    def add(self, version: int) -> None:
        if self._runs and self._runs[-1][1] + 1 == version:
            self._runs[-1] = (self._runs[-1][0], version)
        else:
            self._runs.append((version, version))

    def check(self, stream: str, found: Callable[[str, str], None]) -> None:
        last = 0
        for first, end in sorted(self._runs):
            if first > last + 1:
                found(f"{stream}#{last + 1}", f"missing up to version {first - 1}")
            elif first <= last:
                found(f"{stream}#{first}", f"happened again, up to version {min(end, last)}")
            last = max(last, end)


def _check_event(event: RecordedEvent, found: Callable[[str, str], None]) -> None:
    where = f"shard {event.shard}@{event.position}"
    if event.event_id != event_id(event.stream, event.version):
        found(where, f"event id {event.event_id} does not follow from its stream and version")
    try:
        body = event.decoded()
    except Rejected as e:
        found(where, e.what)
        return
    if occurred_at(body) != event.occurred_at:
        found(where, f"the envelope says {event.occurred_at}, the payload {occurred_at(body)}")
    if stream_of(body, cluster_of(event.stream)) != event.stream:
        found(where, f"a {event.type} does not belong to the stream {event.stream}")


async def _check_end(
    log: EventLog, shard: int, last: int, found: Callable[[str, str], None]
) -> None:
    behind = await log.read(shard, after=last, limit=1)
    now = await log.head(
        shard
    )  # after the read: an event that a running writer appended is behind it
    if behind and now is not None and behind[0].position >= now.next_position:
        found(f"shard {shard}@{behind[0].position}", f"behind the head, {now.next_position}")
