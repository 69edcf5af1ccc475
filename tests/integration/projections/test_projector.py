"""The projector: every event is taken in once, whatever dies, collides or cannot be read."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import pytest
from prometheus_client import generate_latest

from copilot_core.errors import Conflict, Defect, Unavailable
from copilot_core.events import NewEvent, RecordedEvent, SampleRecorded
from copilot_projections.builds import flip, live_builds, new_build
from copilot_projections.follower import Follower, OnPoison, ends_of
from copilot_projections.projector import POLL_MIN_S, Projector
from copilot_projections.rebuild import BuildDigest, digest_build
from copilot_projections.shape import Rows, View
from copilot_projections.step import BuildWriter
from copilot_projections.views import VIEWS, clusters, timeline
from copilot_service import Service, ServiceSettings
from tests.integration.projections.line import Line
from tests.unit.projections.story import Book, Story, at


def long_story(slots: int = 60) -> Story:
    """Two clusters that change their status every few slots; the one returned tells for both."""
    book = Book()
    orders, payments = Story("orders", book), Story("payments", book)
    for i in range(slots):
        for story in (orders, payments):
            story.sample(status="stressed" if i % 10 > 5 else "happy")
        if i % 10 == 6:
            orders.turned("happy", "stressed", gates=("waiting",))
        if i % 10 == 0 and i:
            orders.turned("stressed", "happy")
    return orders


def malformed(event: NewEvent) -> NewEvent:
    """The same event with a payload that no version of this program can read."""
    return replace(event, payload=b'{"slot":"yesterday"}')


def projector(
    line: Line,
    views: Sequence[View],
    *,
    owner: str = "test",
    on_poison: OnPoison = OnPoison.CONTINUE,
    batch_events: int = 500,
) -> tuple[Projector, Service]:
    """A projector as `main` builds it, and the service it reports to."""
    service = Service("projector", ServiceSettings())
    made = Projector(
        line.log,
        line.log.pool,
        views,
        service=service,
        dialect=line.dialect,
        owner=owner,
        on_poison=on_poison,
        batch_events=batch_events,
    )
    return made, service


async def caught_up(made: Projector) -> None:
    """Rounds as `run` makes them, until there is nothing left to do."""
    for _ in range(200):
        with suppress(Unavailable):  # a rival's DDL on DSQL: the next round tries again
            if not await made.round():
                return
    raise AssertionError("still something to do after 200 rounds")


async def digest_of(line: Line, view: View) -> BuildDigest:
    """The live build of a view."""
    build = (await live_builds(line.log.pool))[view.name]
    return await digest_build(line.log.pool, view, build)


async def test_every_view_reaches_the_end_of_the_log(line: Line) -> None:
    """Rounds make first builds, take in every shard, and the lag is 0 at the end."""
    story = long_story()
    await line.append(story.book.new, shard=0)
    other = Story("third", Book(shard=7))
    other.sample()
    await line.append(other.book.new, shard=7)
    made, service = projector(line, tuple(VIEWS.values()), batch_events=25)
    await caught_up(made)
    assert [c.cluster for c in await clusters.page(line.views)] == ["orders", "payments", "third"]
    metrics = generate_latest(service.registry).decode()
    assert 'copilot_view_lag_events{shard="0",view="timeline"} 0.0' in metrics
    assert 'copilot_view_lag_events{shard="7",view="incidents"} 0.0' in metrics
    assert service.signs.ready()


async def test_event_that_cannot_be_read_is_buried_and_the_view_goes_on(line: Line) -> None:
    """Exactly the malformed event is missing from the view, and it is in the dead letters."""
    story = long_story()
    bad = next(i for i, e in enumerate(story.events) if e.type == "HealthTransitioned")
    events = [malformed(e) if i == bad else e for i, e in enumerate(story.book.new)]
    await line.append(events)
    made, _ = projector(line, [VIEWS["timeline"]])
    await caught_up(made)
    page = await timeline.page(line.views)
    told = [e for e in story.events if e.type == "HealthTransitioned"]
    assert len(page.entries) == len(told) - 1
    (letter,) = await line.log.dead_letters()
    assert letter.source == f"view:timeline/shard 0@{bad}"
    assert (letter.code, letter.body) == ("malformed", b'{"slot":"yesterday"}')


async def test_event_that_cannot_be_stored_is_buried(line: Line) -> None:
    """A text that the database cannot hold is the event's fault; the events around it are shown."""
    story = Story("orders")
    story.sample()
    story.bottleneck("unknown", "healthy", "fine")
    story.bottleneck("healthy", "wor\x00ker", "a NUL")
    story.surged("history", "no-poller", 2**63, 1.0)
    story.sample()
    story.bottleneck("healthy", "server-limited", "slow")
    await line.append(story.book.new)
    made, service = projector(line, [VIEWS["bottleneck"], VIEWS["log_patterns"]])
    await caught_up(made)
    letters = await line.log.dead_letters()
    assert [(x.source, x.code) for x in letters] == [
        ("view:bottleneck/shard 0@2", "not_storable"),
        ("view:log_patterns/shard 0@3", "not_storable"),
    ]
    assert service.signs.ready()


async def test_paused_view_stops_at_the_event_and_the_others_go_on(line: Line) -> None:
    """With policy pause a view ends just before the event, says so, and moves no further."""
    story = long_story()
    bad = next(i for i, e in enumerate(story.events) if e.type == "HealthTransitioned")
    events = [malformed(e) if i == bad else e for i, e in enumerate(story.book.new)]
    await line.append(events)
    made, service = projector(
        line, [VIEWS["timeline"], VIEWS["log_patterns"]], on_poison=OnPoison.PAUSE
    )
    await caught_up(made)
    assert (await line.views.positions(VIEWS["timeline"]))[0].position == bad - 1
    assert (await line.views.positions(VIEWS["log_patterns"]))[0].position == len(events) - 1
    assert "view timeline" in service.signs.waiting_for()
    assert len(await line.log.dead_letters()) == 1


async def test_bug_in_one_view_stops_that_view_only(line: Line) -> None:
    """An unexpected error stops its view, is counted, and the other views reach the end."""

    def broken(_rows: Rows, _events: Sequence[RecordedEvent]) -> None:
        raise KeyError("nobody thought of this")

    await line.append(long_story().book.new)
    made, service = projector(line, [replace(VIEWS["timeline"], apply=broken), VIEWS["clusters"]])
    await caught_up(made)
    assert len(await clusters.page(line.views)) == 2
    assert "view timeline" in service.signs.waiting_for()
    metrics = generate_latest(service.registry).decode()
    assert 'copilot_unexpected_errors_total{place="view timeline"} 1.0' in metrics
    assert 'copilot_view_stopped{view="timeline"} 1.0' in metrics


async def test_stopped_view_starts_again_on_another_build(line: Line) -> None:
    """A view that met a bug on one build is taken up again when a rebuilt one is shown."""
    await line.append(long_story(slots=4).book.new)
    made, service = projector(line, [VIEWS["clusters"], VIEWS["timeline"]])
    await line.follower(VIEWS["clusters"])  # makes the first build
    await line.execute("DROP TABLE view_clusters__1_1")
    await caught_up(made)
    assert "a table is missing" in service.signs.waiting_for()["view clusters"]
    build = await new_build(line.log.pool, VIEWS["clusters"], dialect=line.dialect)
    await flip(line.log.pool, VIEWS["clusters"], build)
    await caught_up(made)
    assert service.signs.ready()
    assert (await digest_of(line, VIEWS["clusters"])).tables[0].rows == 2


async def test_no_view_left_is_a_defect(line: Line) -> None:
    """A projector whose views have all stopped does not sit there looking alive."""

    def broken(_rows: Rows, _events: Sequence[RecordedEvent]) -> None:
        raise Defect("a bug")

    await line.append(long_story().book.new)
    made, _ = projector(line, [replace(VIEWS["timeline"], apply=broken)])
    with pytest.raises(Defect, match="every view has stopped"):
        await caught_up(made)


async def test_two_projectors_at_once_double_nothing(line: Line) -> None:
    """Rows are the same as with one projector, and every batch was written by exactly one."""
    await line.append(long_story(slots=120).book.new)
    views = [VIEWS["signals"], VIEWS["timeline"], VIEWS["incidents"]]
    one, _ = projector(line, views, owner="one", batch_events=10)
    two, _ = projector(line, views, owner="two", batch_events=7)
    await asyncio.gather(caught_up(one), caught_up(two))
    for view in views:
        together = await digest_of(line, view)
        alone = await alone_digest(line, view)
        assert together.tables == alone.tables
        assert together.positions == alone.positions


async def alone_digest(line: Line, view: View) -> BuildDigest:
    """The same view built by one follower in one go, beside the live build."""
    build = await new_build(line.log.pool, view, dialect=line.dialect)
    follower = Follower(line.log, line.log.pool, view=view, build=build, owner="alone")
    await follower.catch_up(await ends_of(line.log))
    return await digest_build(line.log.pool, view, build)


async def test_checkpoint_that_was_moved_refuses_the_batch(line: Line) -> None:
    """A writer that is late writes neither rows nor checkpoint."""
    story = long_story()
    await line.append(story.book.new)
    await line.project([VIEWS["timeline"]])
    before = await digest_of(line, VIEWS["timeline"])
    late = BuildWriter(line.log.pool, VIEWS["timeline"], before.build, "late")
    with pytest.raises(Conflict, match="no longer at 3"):
        await late.write(0, after=3, events=story.events[4:20], position=19)
    assert await digest_of(line, VIEWS["timeline"]) == before


@pytest.mark.parametrize("batch_events", [1, 7])
async def test_crash_between_batches_loses_and_doubles_nothing(
    line: Line, batch_events: int
) -> None:
    """A new process after every few batches ends with the rows of one that never died."""
    await line.append(long_story(slots=30).book.new)
    ends = await ends_of(line.log)
    view = VIEWS["incidents"]
    for _ in range(200):
        follower = await line.follower(view, batch_events=batch_events)
        if not await follower.advance(ends):
            break
    assert (await digest_of(line, view)).tables == (await alone_digest(line, view)).tables


async def test_crash_inside_a_batch_leaves_no_trace(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the process dies after the rows and before the commit, neither rows nor checkpoint are
    there afterwards."""

    class KilledHere(BaseException):
        pass

    async def killed(*_args: object) -> None:
        raise KilledHere

    await line.append(long_story().book.new)
    follower = await line.follower(VIEWS["timeline"])
    monkeypatch.setattr(BuildWriter, "_prune", killed)
    with pytest.raises(KilledHere):
        await follower.catch_up(await ends_of(line.log))
    monkeypatch.undo()
    assert (await timeline.page(line.views)).entries == ()
    assert (await line.views.positions(VIEWS["timeline"]))[0].position == -1
    await line.project([VIEWS["timeline"]])
    assert (await digest_of(line, VIEWS["timeline"])).tables == (
        await alone_digest(line, VIEWS["timeline"])
    ).tables


async def test_batch_that_changes_too_much_is_made_smaller(line: Line) -> None:
    """A batch beyond what one transaction takes is split, and nothing of it is lost."""
    book = Book()
    stories = [Story(f"c{i:04}", book) for i in range(750)]
    for story in stories:
        story.sample(services=dict.fromkeys(("a", "b", "c", "d", "e"), ("ok", "low")))
    await line.append(book.new)
    follower = await line.follower(VIEWS["services"], batch_events=750)
    await follower.catch_up(await ends_of(line.log))
    (table,) = (await digest_of(line, VIEWS["services"])).tables
    assert table.rows == 5 * 750


async def test_live_build_that_changes_is_followed(line: Line) -> None:
    """After a flip the running projector writes the build that is shown now."""
    story = long_story(slots=4)
    await line.append(story.book.new)
    made, _ = projector(line, [VIEWS["clusters"]])
    await caught_up(made)
    build = await new_build(line.log.pool, VIEWS["clusters"], dialect=line.dialect)
    await flip(line.log.pool, VIEWS["clusters"], build)
    await caught_up(made)
    assert (await digest_of(line, VIEWS["clusters"])).build == build
    assert (await digest_of(line, VIEWS["clusters"])).tables[0].rows == 2


async def test_build_of_another_shape_is_left_alone(line: Line) -> None:
    """A program with another shape neither writes nor reads the build; it waits for a flip."""
    await line.append(long_story(slots=4).book.new)
    old, _ = projector(line, [VIEWS["clusters"]])
    await caught_up(old)
    before = await digest_of(line, VIEWS["clusters"])
    newer = replace(VIEWS["clusters"], shape=2)
    made, service = projector(line, [newer])
    await caught_up(made)
    assert await digest_of(line, VIEWS["clusters"]) == before
    assert "this program writes shape 2" in service.signs.waiting_for()["view clusters"]


async def test_samples_are_read_once_malformed_is_known(line: Line) -> None:
    """Poison among samples of one cluster does not hide the samples around it."""
    story = Story("orders")
    for _ in range(40):
        story.sample()
    events = [malformed(e) if i in (3, 17, 18, 39) else e for i, e in enumerate(story.book.new)]
    await line.append(events)
    await line.project([VIEWS["clusters"], VIEWS["signals"]])
    (found,) = await clusters.page(line.views)
    assert found.last_slot == at(38)
    letters = [x.source for x in await line.log.dead_letters()]
    assert [x for x in letters if "signals" in x] == [
        f"view:signals/shard 0@{n}" for n in (17, 18, 3, 39)
    ]
    assert all(e.type == SampleRecorded.__name__ for e in story.events)


async def test_what_follows_from_an_event_is_looked_for_soon(
    plain_line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While nothing happens the pauses double up to the limit; whatever is taken in makes the next
    one short again, so that an event's explanation does not wait for a long one."""
    story = long_story(slots=3)
    made, service = projector(plain_line, [VIEWS["clusters"]])
    pauses: list[float] = []

    async def pause(stopping: asyncio.Event, seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 7:
            await plain_line.append(story.book.new)
        if len(pauses) == 9:
            stopping.set()

    monkeypatch.setattr("copilot_projections.projector._pause", pause)
    await made.run()
    assert pauses[1:7] == [min(POLL_MIN_S * 2**n, 0.5) for n in range(1, 7)]
    assert pauses[7:] == [POLL_MIN_S, 2 * POLL_MIN_S]
    assert service.stopping.is_set()
