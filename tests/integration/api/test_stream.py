"""Event streams: the log as it grows, without loss and without double, however they are cut."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress

import pytest

from copilot_core.events import SampleRecorded, new_event
from tests.integration.api.live import FoldedSlot, Live, Message, live, messages, stream
from tests.integration.projections.line import Line

Incident = tuple[str, list[FoldedSlot]]


async def _appending(line: Line, slots: list[FoldedSlot], *, shard: int = 0) -> None:
    """A worker that folds a slot every few milliseconds."""
    head = await line.log.take_over(shard, writer="worker", source="test")
    for offset, slot in enumerate(slots):
        head = await line.log.append(head, slot.events, source_offset=offset)
        await asyncio.sleep(0.005)


def _events(got: list[Message]) -> list[dict]:
    """What the messages hold of the log; the others say where a stream begins or that it waits."""
    return [m.data for m in got if m.data is not None and "event_id" in m.data]


def _ids(got: list[Message]) -> list[str]:
    return [event["event_id"] for event in _events(got)]


async def _take(api: Live, path: str, count: int, **asked: str | None) -> list[Message]:
    """Messages until `count` of them are events; the first one only tells where it begins."""
    got: list[Message] = []
    async with asyncio.timeout(60), stream(api, path, **asked) as following:
        async for message in following:
            got.append(message)
            if len(_ids(got)) == count:
                break
    return got


@pytest.mark.parametrize("path", ["/v1/stream", "/v1/clusters/{c}/stream"])
@pytest.mark.parametrize("seed", [1, 2])
async def test_a_stream_cut_anywhere_loses_and_doubles_nothing(
    line: Line, pg_dsn: str, incident: Incident, path: str, seed: int
) -> None:
    """While a worker folds, a client is cut off after a few messages again and again and comes
    back with `Last-Event-ID`: what it got is the log, in order, once."""
    cluster, slots = incident
    luck = random.Random(seed)
    total = sum(len(slot.events) for slot in slots)
    await _appending(line, slots[:1])
    async with live(pg_dsn) as api:
        path = path.format(c=cluster)
        worker = asyncio.create_task(_appending(line, slots[1:]))
        got, last = [], None
        while len(_ids(got)) < total:
            some = min(luck.randint(1, 9), total - len(_ids(got)))
            asked = {"after": "start"} if last is None else {}
            got += await _take(api, path, some, last_event_id=last, **asked)
            last = got[-1].id
        await worker
    assert _ids(got) == [str(e.event_id) for e in await line.log.read(0, limit=10_000)]
    assert [m.event for m in got if m.data] == [m.data["type"] for m in got if m.data]


async def test_a_client_cut_off_before_its_first_event_misses_nothing(
    line: Line, pg_dsn: str, incident: Incident
) -> None:
    """The opening message already carries an id: what is recorded while nobody is connected
    arrives after the reconnect."""
    cluster, slots = incident
    await _appending(line, slots[:3])
    async with live(pg_dsn) as api:
        async with stream(api, f"/v1/clusters/{cluster}/stream") as following:
            opening = await anext(following)
        assert (opening.data, bool(opening.id)) == (None, True)
        await _appending(line, slots[3:5])
        later = [str(e.event_id) for slot in slots[3:5] for e in slot.events]
        got = await _take(
            api, f"/v1/clusters/{cluster}/stream", len(later), last_event_id=opening.id
        )
    assert _ids(got) == later


async def test_all_shards_are_followed_also_those_that_appear_later(
    line: Line, pg_dsn: str, incident: Incident
) -> None:
    """A shard that is written for the first time while a stream is open is part of it."""
    slots = incident[1]
    await _appending(line, slots[:2], shard=0)
    other = [
        new_event(slot.sample, cluster="other", version=version)
        for version, slot in enumerate(slots[:2], start=1)
    ]
    async with live(pg_dsn) as api, stream(api, "/v1/stream", after="now") as following:
        await anext(following)
        head = await line.log.take_over(7, writer="worker", source="test")
        await line.log.append(head, other, source_offset=0)
        async with asyncio.timeout(30):
            got = [await anext(following) for _ in other]
    assert [(m.data["shard"], m.data["cluster"]) for m in got] == [(7, "other")] * 2


async def test_types_narrow_a_stream_down(line: Line, pg_dsn: str, incident: Incident) -> None:
    """With `type`, only such events are sent, and resuming skips none of them."""
    cluster, slots = incident
    await _appending(line, slots)
    wanted = [e for slot in slots for e in slot.events if e.type == "HealthTransitioned"]
    async with live(pg_dsn) as api:
        path = f"/v1/clusters/{cluster}/stream"
        got = await _take(api, path, 1, after="start", type="HealthTransitioned")
        got += await _take(
            api, path, len(wanted) - 1, last_event_id=got[-1].id, type="HealthTransitioned"
        )
    assert _ids(got) == [str(e.event_id) for e in wanted]


async def test_a_silent_stream_beats(line: Line, pg_dsn: str, incident: Incident) -> None:
    """Where nothing happens, a comment comes at every heartbeat, so that proxies keep it open."""
    await _appending(line, incident[1][:1])
    async with live(pg_dsn) as api, api.client.stream("GET", "/v1/stream") as answer:
        beats = 0
        async with asyncio.timeout(30):
            async for text in answer.aiter_lines():
                beats += text.startswith(": heartbeat")
                if beats == 3:
                    break
    assert beats == 3


async def _fill(line: Line, sample: SampleRecorded, count: int) -> None:
    """Much more than the buffers between a server and its client hold."""
    events = [new_event(sample, cluster="bulk", version=n) for n in range(1, count + 1)]
    head = await line.log.take_over(0, writer="worker", source="test")
    for begin in range(0, count, 500):
        head = await line.log.append(head, events[begin : begin + 500], source_offset=begin)


async def test_a_client_that_takes_nothing_is_cut_off_and_holds_up_nobody(
    line: Line, pg_dsn: str, incident: Incident, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One client never reads: it is cut off and its seat is free again, while another one gets the
    whole log, in order."""
    monkeypatch.setattr("copilot_api.routes.stream.SEND_TIMEOUT_S", 3.0)
    count = 5000
    await _fill(line, incident[1][0].sample, count)
    async with live(pg_dsn) as api:
        host, port = api.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port), limit=1)
        writer.write(b"GET /v1/stream?after=start HTTP/1.1\r\nHost: api\r\n\r\n")
        await writer.drain()
        await reader.readexactly(1)  # the stream is open; from here on this client is deaf
        got = await _take(api, "/v1/stream", count, after="start")
        assert [event["position"] for event in _events(got)] == list(range(count))
        async with asyncio.timeout(30):
            while "copilot_api_streams_open 0.0" not in (await api.client.get("/metrics")).text:
                await asyncio.sleep(0.1)
        writer.close()


async def test_streams_are_limited_and_seats_are_given_back(
    line: Line, pg_dsn: str, incident: Incident
) -> None:
    """One stream too many gets 503 with its own kind; a seat is free again when a client leaves."""
    await _appending(line, incident[1][:1])
    async with live(pg_dsn, api_max_streams=1) as api:
        async with stream(api, "/v1/stream"):
            refused = await api.client.get("/v1/stream")
            assert refused.status_code == 503
            assert refused.json()["type"] == "/problems/too_many_streams"
        async with asyncio.timeout(30):
            while True:
                with suppress(AssertionError):
                    async with stream(api, "/v1/stream") as following:
                        assert await anext(following)
                        break
                await asyncio.sleep(0.05)


async def test_streams_end_when_the_process_stops(
    line: Line, pg_dsn: str, incident: Incident
) -> None:
    """Closing the watch ends open streams cleanly, so that a stop need not wait for clients."""
    await _appending(line, incident[1][:1])
    async with live(pg_dsn) as api, api.client.stream("GET", "/v1/stream") as answer:
        following = messages(answer)
        await anext(following)
        api.deps.watch.close()
        async with asyncio.timeout(30):
            assert [message async for message in following] == []
