"""The database goes away: what is still said, how honestly, and how it comes back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from tests.infra.postgres import Postgres
from tests.integration.api.live import Clock, FoldedSlot, Live, fold_on, live, stream
from tests.integration.projections.line import postgres_line
from tests.unit.projections.explaining import explanations_of

Incident = tuple[str, list[FoldedSlot]]
AWAY: dict[str, tuple[Callable[[Postgres], None], Callable[[Postgres], None]]] = {
    "frozen": (Postgres.pause, Postgres.resume),
    "killed": (Postgres.kill, Postgres.start),
}


async def _until(
    api: Live, path: str, says: Callable[[dict[str, object]], bool]
) -> dict[str, object]:
    """The first answer of which `says` holds; bounded."""
    async with asyncio.timeout(60):
        while True:
            answer = await api.client.get(path)
            if answer.status_code == 200 and says(answer.json()):
                return answer.json()
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("how", AWAY)
async def test_what_was_known_is_said_with_its_age_and_all_comes_back(
    own_postgres: Postgres, how: str, clock: Clock, incident: Incident
) -> None:
    """Frozen or killed: status and list answer the last known state, marked and dated, also for a
    cluster nobody had asked for; the rest is 503; an open stream says so and misses nothing."""
    away, back = AWAY[how]
    cluster, slots = incident
    dsn = own_postgres.dsn(own_postgres.create_database())
    async with (
        postgres_line(dsn) as line,
        live(dsn, now=clock, api_store_timeout_s=2.0) as api,
    ):
        await line.append(explanations_of([e for s in slots for e in s.events])[0], shard=1)
        await fold_on(line, slots[:-2])
        path = f"/v1/clusters/{cluster}"
        async with asyncio.timeout(60):
            while (known := api.deps.last_known.status(cluster)) is None or (
                known.status.at.timestamp() != slots[-3].slot
            ):
                await asyncio.sleep(0.05)  # the watch remembers by itself; nobody asks
        async with stream(api, f"{path}/stream") as following:
            await anext(following)
            away(own_postgres)
            clock.at = clock.at.add(seconds=90)
            stale = await api.client.get(f"{path}/status")
            said = stale.json()
            assert stale.status_code == 200, stale.text
            assert (said["stale"], said["current"], said["evidence"]) == (True, False, "blind")
            assert said["at_ms"] == slots[-3].slot * 1000
            assert said["age_s"] >= 90
            assert said["headline"] == "Nothing closes, told by the rules."
            assert stale.headers["cache-control"] == "no-store"
            assert "etag" not in stale.headers
            (listed,) = await api.get("/v1/clusters")
            assert (listed["cluster"], listed["stale"]) == (cluster, True)
            for other in ("services", "timeline", "status?at=2026-11-22T17:10:00Z"):
                refused = await api.client.get(f"{path}/{other}")
                assert refused.json()["type"] == "/problems/store_unavailable", other
            unknown = await api.client.get("/v1/clusters/nobody/status")
            assert unknown.status_code == 503, "away is not the same as unknown"
            ready = await api.get("/readyz")
            assert ready["store"] != "answers"
            assert (await api.client.get("/healthz")).status_code == 200
            async with asyncio.timeout(60):
                told = await anext(following)
            assert (told.event, told.id) == ("problem", None)
            back(own_postgres)
            fresh = await _until(api, f"{path}/status", lambda s: s["stale"] is False)
            assert fresh["age_s"] == 0
            await fold_on(line, slots[-2:])
            later = [str(e.event_id) for slot in slots[-2:] for e in slot.events]
            async with asyncio.timeout(60):
                got: list[str] = []
                while len(got) < len(later):
                    told = await anext(following)
                    got += [told.data["event_id"]] if told.id else []
            assert got == later
        await _until(api, f"{path}/status", lambda s: s["at_ms"] == slots[-1].slot * 1000)


async def test_a_process_that_never_reached_its_database_says_503_and_recovers(
    own_postgres: Postgres, clock: Clock, incident: Incident
) -> None:
    """Started while the database is away: nothing is known, so nothing is claimed; not ready.
    When the database comes, it serves without a restart."""
    cluster, slots = incident
    dsn = own_postgres.dsn(own_postgres.create_database())
    async with postgres_line(dsn) as line:
        await line.tell([event for slot in slots for event in slot.events])
    own_postgres.stop()
    async with live(dsn, now=clock, api_store_timeout_s=2.0) as api:
        for path in ("/v1/clusters", f"/v1/clusters/{cluster}/status"):
            answer = await api.client.get(path)
            assert answer.json()["type"] == "/problems/store_unavailable"
        assert (await api.client.get("/readyz")).status_code == 503
        own_postgres.start()
        said = await _until(api, f"/v1/clusters/{cluster}/status", lambda s: True)
        assert said["at_ms"] == slots[-1].slot * 1000
        assert (await api.get("/readyz"))["store"] == "answers"
