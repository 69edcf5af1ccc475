"""Rebuild: another build beside the live one, compared with it, shown, and taken back."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from copilot_core.errors import Conflict, Rejected, Unavailable
from copilot_core.events import NewEvent
from copilot_projections.builds import (
    BuildStatus,
    drop,
    first_build,
    flip,
    list_builds,
    live_builds,
    new_build,
)
from copilot_projections.follower import Follower, ends_of
from copilot_projections.rebuild import Rebuilt, digest_build, rebuild, roll_back
from copilot_projections.shape import View
from copilot_projections.views import VIEWS, clusters, incidents
from tests.integration.projections.line import Line
from tests.unit.projections.explaining import explanations_of
from tests.unit.projections.recorded import interleaved
from tests.unit.projections.story import Book, Story

RECORDINGS = ("o1-workers-stopped", "o2-db-latency", "o7-metrics-lost")


async def statuses(line: Line) -> dict[str, BuildStatus]:
    """What each build of the view `clusters` is."""
    return {b.build: b.status for b in await list_builds(line.log.pool) if b.view == "clusters"}


async def rebuilt(line: Line, view: View) -> Rebuilt:
    """Rebuild a view as the command line does."""
    return await rebuild(line.log, line.log.pool, view, dialect=line.dialect, owner="test")


def configurations() -> list[NewEvent]:
    """What no recording holds: a cluster that is configured anew, over and over."""
    story = Story("configured")
    for n in range(60):
        story.configured({"qps": n, "pool": n // 7})
    return story.book.new


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
async def test_rebuild_of_recorded_incidents_equals_live(line: Line, view: View) -> None:
    """However the projector cut its batches, a rebuild from the first event has the same rows."""
    events = interleaved(*RECORDINGS)
    await line.append([*events, *configurations()])
    for shard, told in enumerate(explanations_of(events), start=1):
        await line.append(told, shard=shard)
    ends = await ends_of(line.log)
    for batch_events in (1, 3, 17, 40, 500):
        follower = await line.follower(view, batch_events=batch_events)
        for _ in range(5):
            await follower.advance(ends)
    made = await rebuilt(line, view)
    assert made.live is not None
    assert made.differences == ()
    assert made.new.positions == made.live.positions == ends
    assert sum(t.rows for t in made.new.tables) > 0 or view.name == "log_patterns"


async def test_rebuild_while_the_log_grows_compares_the_same_events(line: Line) -> None:
    """The comparison holds although writer and projector go on meanwhile, and the new build ends
    at the end of the log."""
    events = interleaved(*RECORDINGS)
    await line.append(events[:300])
    view = VIEWS["timeline"]
    await line.project([view])

    async def go_on() -> None:
        head = await line.log.take_over(0, writer="test", source="test")
        for i in range(300, len(events), 20):
            head = await line.log.append(head, events[i : i + 20], source_offset=i)
            await line.project([view])

    writing = asyncio.create_task(go_on())
    made = await rebuilt(line, view)
    await writing
    assert made.differences == ()
    follower = Follower(line.log, line.log.pool, view=view, build=made.build, owner="test")
    await follower.catch_up(await ends_of(line.log))
    live = await digest_build(line.log.pool, view, (await live_builds(line.log.pool))[view.name])
    assert (await digest_build(line.log.pool, view, made.build)).tables == live.tables


async def test_difference_is_found_and_named(line: Line) -> None:
    """A live build with a wrong row is told apart from the rebuilt one, by table."""
    story = Story("orders")
    story.sample()
    await line.append(story.book.new)
    view = VIEWS["clusters"]
    await line.project([view])
    await line.execute("UPDATE view_clusters__1_1 SET status = 'critical'")
    assert (await rebuilt(line, view)).differences == (
        "clusters: 1 rows in both, not the same ones",
    )
    await line.execute("DELETE FROM view_clusters__1_1")
    assert (await rebuilt(line, view)).differences == ("clusters: 0 rows live, 1 rebuilt",)


async def test_new_shape_has_nothing_to_be_compared_with(line: Line) -> None:
    """A rebuild for another shape says that it was not compared, and waits for the flip."""
    story = Story("orders")
    story.sample()
    await line.append(story.book.new)
    await line.project([VIEWS["clusters"]])
    newer = replace(VIEWS["clusters"], shape=2)
    made = await rebuilt(line, newer)
    assert (made.build, made.live) == ("2_2", None)
    assert await statuses(line) == {"1_1": BuildStatus.LIVE, "2_2": BuildStatus.BUILDING}
    await flip(line.log.pool, newer, made.build)
    fresh = type(line.views)(line.log.pool)
    with pytest.raises(Unavailable, match="this program reads shape 1"):
        await clusters.page(fresh)


async def test_flip_and_roll_back(line: Line) -> None:
    """A flip shows the new build and keeps the former; rolling back catches that one up first."""
    story = Story("orders")
    story.sample()
    await line.append(story.book.new)
    view = VIEWS["clusters"]
    await line.project([view])
    made = await rebuilt(line, view)
    assert await flip(line.log.pool, view, made.build) == "1_1"
    assert await flip(line.log.pool, view, made.build) is None
    assert await statuses(line) == {"1_1": BuildStatus.KEPT, "1_2": BuildStatus.LIVE}
    later = Book()
    later_story = Story("later", later)
    later_story.sample()
    await line.append(later.new)
    back = await roll_back(line.log, line.log.pool, view, owner="test")
    assert back == "1_1"
    assert await statuses(line) == {"1_1": BuildStatus.LIVE, "1_2": BuildStatus.KEPT}
    fresh = type(line.views)(line.log.pool)
    assert [c.cluster for c in await clusters.page(fresh)] == ["later", "orders"]


async def test_nothing_to_roll_back_to(line: Line) -> None:
    """Without a former build the roll-back is refused and nothing changes."""
    await line.project([VIEWS["clusters"]])
    with pytest.raises(Rejected, match="no former build"):
        await roll_back(line.log, line.log.pool, VIEWS["clusters"], owner="test")
    assert await statuses(line) == {"1_1": BuildStatus.LIVE}


async def test_drop_takes_tables_and_checkpoints_but_never_the_live_build(line: Line) -> None:
    """A dropped build is gone for good; the one that is shown and unknown ones are refused."""
    await line.append([])
    view = VIEWS["signals"]
    await line.project([view])
    made = await rebuilt(line, view)
    await drop(line.log.pool, view, made.build)
    await drop(line.log.pool, view, made.build)
    left = await line.fetch("SELECT tablename FROM pg_tables WHERE tablename LIKE 'view_signals%'")
    assert {r["tablename"] for r in left} == {f"view_{t.name}__1_1" for t in view.tables}
    with pytest.raises(Rejected, match="is shown"):
        await drop(line.log.pool, view, "1_1")
    with pytest.raises(Rejected, match="no build 1_9"):
        await drop(line.log.pool, view, "1_9")
    with pytest.raises(Rejected, match="no build 1_2"):
        await flip(line.log.pool, view, made.build)


async def test_reader_finds_the_new_build_when_the_old_one_is_dropped(line: Line) -> None:
    """A reader that remembers a build which is gone looks again instead of failing."""
    story = Story("orders")
    story.sample()
    await line.append(story.book.new)
    view = VIEWS["clusters"]
    await line.project([view])
    assert len(await clusters.page(line.views)) == 1
    made = await rebuilt(line, view)
    await flip(line.log.pool, view, made.build)
    await drop(line.log.pool, view, "1_1")
    assert len(await clusters.page(line.views)) == 1


async def test_first_builds_made_at_once_are_one(line: Line) -> None:
    """Two projectors that start on an empty database end with the same live build."""
    view = VIEWS["incidents"]

    async def start() -> str:
        for _ in range(20):
            live = (await live_builds(line.log.pool)).get(view.name)
            if live:
                return live
            try:
                return await first_build(line.log.pool, view, dialect=line.dialect)
            except (Conflict, Unavailable):  # the projector takes both up again, too
                await asyncio.sleep(0.05)
        raise AssertionError("no first build in 20 tries")

    assert await asyncio.gather(start(), start(), start()) == ["1_1"] * 3


async def test_first_build_that_was_cut_short_is_finished(line: Line) -> None:
    """A projector that died while it made the first build leaves nothing to be cleaned by hand."""
    view = VIEWS["clusters"]
    begun = await new_build(line.log.pool, view, dialect=line.dialect)
    assert await first_build(line.log.pool, view, dialect=line.dialect) == begun
    assert (await live_builds(line.log.pool))["clusters"] == begun


async def test_dead_letters_of_a_rebuild_are_those_of_the_live_build(line: Line) -> None:
    """An event that the view cannot take is one letter, however often the view is rebuilt."""
    story = Story("orders")
    story.sample()
    story.turned("happy", "stressed")
    story.turned("stressed", "happy")
    events = story.book.new
    events[1] = replace(events[1], payload=b"{}")
    await line.append(events)
    await line.project([VIEWS["incidents"]])
    made = await rebuilt(line, VIEWS["incidents"])
    assert (made.dead_letters, made.differences) == (1, ())
    assert [x.source for x in await line.log.dead_letters()] == ["view:incidents/shard 0@1"]
    assert (await incidents.page(line.views)).incidents == ()
