"""The API while a worker folds and a projector follows: every answer is a state that was."""

from __future__ import annotations

import asyncio

import httpx

from tests.integration.api.live import Clock, FoldedSlot, Live, fold_on, live, stream
from tests.integration.projections.line import Line


async def _ask(api: Live, path: str, done: asyncio.Event) -> list[httpx.Response]:
    answers = []
    while not done.is_set():
        answers.append(await api.client.get(path))
    return answers


async def _follow(api: Live, path: str, count: int) -> list[str]:
    got: list[str] = []
    async with asyncio.timeout(120), stream(api, path, after="start") as following:
        async for message in following:
            if message.data is not None:
                got.append(message.data["event_id"])
            if len(got) == count:
                break
    return got


async def test_every_answer_while_folding_is_a_state_of_the_log(
    line: Line, pg_dsn: str, clock: Clock, incident: tuple[str, list[FoldedSlot]]
) -> None:
    """Status, list, timeline and past instants, asked without pause during the fold of an incident:
    each status is the verdict of its slot, slots only go forward, past answers never change, and a
    stream that was open all the time has every event once."""
    cluster, slots = incident
    verdicts = {slot.slot * 1000: slot.sample.verdict for slot in slots}
    total = sum(len(slot.events) for slot in slots)
    await fold_on(line, slots[:1])
    async with live(pg_dsn, now=clock) as api:
        path, done = f"/v1/clusters/{cluster}", asyncio.Event()
        past = f"{path}/status?at={slots[0].slot + 1}"
        paths = (f"{path}/status", "/v1/clusters", f"{path}/timeline", past)
        asking = [asyncio.create_task(_ask(api, asked, done)) for asked in paths]
        following = asyncio.create_task(_follow(api, f"{path}/stream", total))
        await fold_on(line, slots[1:])
        done.set()
        statuses, lists, timelines, pasts = [await task for task in asking]
        followed = await following

    assert {a.status_code for a in (*statuses, *lists, *timelines, *pasts)} == {200}
    seen = [a.json() for a in statuses]
    for said in seen:
        verdict = verdicts[said["at_ms"]]
        assert (said["status"], said["evidence_recorded"]) == (verdict.status, verdict.evidence)
        assert tuple(said["fired"]) == verdict.fired
        assert said["bottleneck"] == verdict.bottleneck
    assert [s["position"] for s in seen] == sorted(s["position"] for s in seen)
    assert len({s["at_ms"] for s in seen}) > 1, "nothing was asked while the fold went on"
    for (said,) in (a.json() for a in lists):
        assert said["status"] == verdicts[said["last_slot_ms"]].status
    lengths = [len(a.json()) for a in timelines]
    assert lengths == sorted(lengths)
    assert len({a.text.partition('"read_at"')[0] for a in pasts}) == 1
    assert followed == [str(e.event_id) for slot in slots for e in slot.events]
