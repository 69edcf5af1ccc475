"""Conditional requests: 304 exactly while there is nothing new to say."""

from __future__ import annotations

import pytest

from tests.integration.api.live import Clock, FoldedSlot, Live, live
from tests.integration.projections.line import Line

Incident = tuple[str, list[FoldedSlot]]

PATHS = (
    "/v1/clusters", "/v1/clusters/{c}/status", "/v1/clusters/{c}/services", "/v1/timeline",
    "/v1/clusters/{c}/timeline?limit=5", "/v1/clusters/{c}/signals?signal=transitions_per_s",
    "/v1/incidents", "/v1/clusters/{c}/incidents", "/v1/clusters/{c}/bottleneck",
    "/v1/clusters/{c}/annotations", "/v1/events?shard=0", "/v1/clusters/{c}/causes",
    "/v1/clusters/{c}/explanations", "/v1/clusters/{c}/issues",
)  # fmt: skip


@pytest.fixture
async def half(line: Line, incident: Incident) -> list[FoldedSlot]:
    """The log holds half of the incident; the other half is still to come."""
    slots = incident[1]
    cut = len(slots) // 2
    await line.tell([event for slot in slots[:cut] for event in slot.events])
    return slots[cut:]


async def test_unchanged_is_304_and_news_is_not(
    line: Line, pg_dsn: str, clock: Clock, incident: Incident, half: list[FoldedSlot]
) -> None:
    """On every route: the same tag is answered 304 without a body until the log moves on, and
    never after; a 304 repeats the tag."""
    async with live(pg_dsn, now=clock) as api:
        tags = {}
        for path in (p.format(c=incident[0]) for p in PATHS):
            first = await api.client.get(path)
            assert first.status_code == 200, first.text
            tags[path] = first.headers["etag"]
            again = await api.client.get(path, headers={"If-None-Match": tags[path]})
            assert (again.status_code, again.content) == (304, b""), path
            assert again.headers["etag"] == tags[path]
        await line.tell([event for slot in half for event in slot.events])
        for path, tag in tags.items():
            after = await api.client.get(path, headers={"If-None-Match": tag})
            assert after.status_code == 200, path


async def test_growing_old_is_news(api: Live, clock: Clock, incident: Incident) -> None:
    """A status that ceases to be current is sent again, although the log has not moved: a caller
    that revalidates cannot go on believing an old "fresh"."""
    path = f"/v1/clusters/{incident[0]}/status"
    for asked in (path, "/v1/clusters"):
        tag = (await api.client.get(asked)).headers["etag"]
        clock.at = clock.at.add(hours=1)
        after = await api.client.get(asked, headers={"If-None-Match": tag})
        assert after.status_code == 200
        clock.at = clock.at.subtract(hours=1)


async def test_answers_are_private_and_revalidated(api: Live, incident: Incident) -> None:
    """No shared cache may keep an answer, and no cache may use one without asking."""
    for path in (p.format(c=incident[0]) for p in PATHS):
        control = (await api.client.get(path)).headers["cache-control"]
        assert control == "private, no-cache", path
