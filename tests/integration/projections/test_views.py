"""What each read model answers after a small story, asked through the API's own queries."""

from __future__ import annotations

import pytest

from copilot_core.errors import Rejected, Unavailable
from copilot_core.events import Evidence, SampleRecorded, Status
from copilot_core.readings import Missing
from copilot_core.samples import LogExcerpt
from copilot_core.signals import BY_NAME, SIGNAL_NAMES
from copilot_projections.views import (
    VIEWS,
    bottleneck,
    clusters,
    config_history,
    incidents,
    log_patterns,
    services,
    signals,
    status,
    timeline,
)
from tests.integration.projections.line import Line
from tests.unit.projections.story import NOON, STEP_S, Book, Story, at


def trouble(story: Story) -> None:
    """Happy, stressed, critical, blind for two slots, stressed, happy: one slot each or more."""
    story.sample(evidence="partial", missing=("transitions_per_s",))
    story.sight("blind", "partial")
    story.turned("unknown", "happy")
    story.sample()
    story.sight("partial", "fresh")
    story.sample(status="stressed", fired=("waiting",))
    story.turned("happy", "stressed", gates=("waiting",))
    story.sample(status="critical", fired=("no-progress", "waiting"))
    story.turned("stressed", "critical", gates=("no-progress",))
    story.sample(status="critical", evidence="blind")
    story.sight("fresh", "blind")
    story.sample(status="critical", evidence="blind", worst="critical")
    story.sample(status="critical", fired=("role-gone",))
    story.sight("blind", "fresh")
    story.sample(status="stressed")
    story.turned("critical", "stressed")
    story.sample()
    story.turned("stressed", "happy")


class TestClusters:
    async def test_line_of_a_cluster_says_what_and_since_when(self, line: Line) -> None:
        """Status and evidence are those of the last verdict, `since` of the last changes."""
        story = Story("orders")
        trouble(story)
        views = await line.tell(story.book.new, VIEWS["clusters"])
        (found,) = await clusters.page(views)
        assert (found.cluster, found.status, found.since) == ("orders", Status.HAPPY, at(8))
        assert (found.evidence, found.evidence_since) == (Evidence.FRESH, at(6))
        assert (found.last_slot, found.last_slot_ms) == (at(8), (NOON + 8 * STEP_S) * 1000)
        assert await clusters.one(views, "orders") == found
        assert await clusters.one(views, "nobody") is None

    async def test_pages_go_by_id(self, line: Line) -> None:
        """Every cluster of the log is on exactly one page, in order of the ids."""
        book = Book()
        for name in ("c", "a", "b"):
            Story(name, book).sample()
        views = await line.tell(book.new, VIEWS["clusters"])
        first = await clusters.page(views, limit=2)
        rest = await clusters.page(views, after=first[-1].cluster, limit=2)
        assert [c.cluster for c in (*first, *rest)] == ["a", "b", "c"]


class TestStatus:
    async def test_full_status_tells_why(self, line: Line) -> None:
        """The answer carries the last transition with its gates and the readings that decided."""
        story = Story("orders")
        story.sample()
        story.sample(
            status="critical",
            evidence="partial",
            fired=("no-progress",),
            missing=("transitions_per_s",),
            services={"history": ("blocked", "high")},
            readings={"transitions_per_s": Missing.TIMED_OUT, "persistence_p99_ms": 812.5},
        )
        story.turned("happy", "critical", gates=("no-progress",))
        views = await line.tell(story.book.new, VIEWS["status"])
        found = await status.current(views, "orders")
        assert found is not None
        assert (found.status, found.since, found.at) == (Status.CRITICAL, at(1), at(1))
        assert found.fired == ("no-progress",)
        assert found.last_transition is not None
        assert [g.id for g in found.last_transition.gates] == ["no-progress"]
        assert [(m.signal, m.reason) for m in found.missing] == [
            ("transitions_per_s", Missing.TIMED_OUT)
        ]
        assert [(s.service, s.progress) for s in found.services] == [("history", "blocked")]
        by_name = {r.signal: r for r in found.readings}
        assert set(by_name) == {n for n in SIGNAL_NAMES if BY_NAME[n].decides}
        assert by_name["persistence_p99_ms"].value == 812.5
        assert by_name["transitions_per_s"].value is None
        assert by_name["transitions_per_s"].missing is Missing.TIMED_OUT

    async def test_cluster_without_a_sample_has_no_status(self, line: Line) -> None:
        """Nothing is made up about a cluster the log has never heard of."""
        views = await line.tell([], VIEWS["status"])
        assert await status.current(views, "orders") is None


class TestTimeline:
    async def test_entries_carry_their_reasons(self, line: Line) -> None:
        """A transition's entry names its gates, its counterfactual and the event itself."""
        story = Story("orders")
        story.sample()
        story.sample(status="stressed")
        story.turned("happy", "stressed", gates=("waiting",))
        event_id = str(story.id_of_last())
        views = await line.tell(story.book.new, VIEWS["timeline"])
        (entry,) = (await timeline.page(views, cluster="orders")).entries
        assert (entry.type, entry.from_, entry.to) == ("HealthTransitioned", "happy", "stressed")
        assert entry.at == at(1)
        assert entry.event_id == event_id
        assert entry.reasons == (
            "waiting: closings_per_s 0 1/s, fires below 0.2",
            "would have stayed",
        )
        assert entry.data["gates"][0]["threshold"] == 0.2

    async def test_pages_hold_every_entry_once(self, line: Line) -> None:
        """Paging through all clusters, newest first, loses and doubles nothing."""
        book = Book()
        for story in (Story("a", book), Story("b", book)):
            trouble(story)
        views = await line.tell(book.new, VIEWS["timeline"])
        seen: list[str] = []
        before = None
        while True:
            page = await timeline.page(views, before=before, limit=4)
            seen += [entry.event_id for entry in page.entries]
            before = page.next_before
            if before is None:
                break
        expected = [e for e in book.recorded if e.type != SampleRecorded.__name__]
        expected.sort(key=lambda e: (e.occurred_at, e.position), reverse=True)
        assert seen == [str(e.event_id) for e in expected]

    async def test_span_and_types_narrow_the_page(self, line: Line) -> None:
        """`since` is inclusive, `until` exclusive, and only the asked types are told."""
        story = Story("orders")
        trouble(story)
        views = await line.tell(story.book.new, VIEWS["timeline"])
        page = await timeline.page(
            views, cluster="orders", since=at(2), until=at(4), types={"HealthTransitioned"}
        )
        assert [entry.to for entry in page.entries] == ["critical", "stressed"]

    async def test_what_is_no_cursor_is_refused(self, line: Line) -> None:
        """A made-up cursor is the caller's mistake, not an empty page."""
        views = await line.tell([], VIEWS["timeline"])
        with pytest.raises(Rejected, match="no timeline cursor"):
            await timeline.page(views, before="yesterday")


class TestSignals:
    async def test_series_spans_blocks_and_tail(self, line: Line) -> None:
        """Every slot is there once, in order, whether in a closed block or still in the tail."""
        story = Story("orders")
        for i in range(150):
            story.sample(readings={"transitions_per_s": float(i)})
        views = await line.tell(story.book.new, VIEWS["signals"])
        found = await signals.series(
            views, "orders", names=["transitions_per_s"], since=at(0), until=at(1000)
        )
        assert [p.value for p in found.points] == [float(i) for i in range(150)]
        assert [p.at for p in found.points] == [at(i) for i in range(150)]
        assert found.next_since is None

    async def test_pages_of_a_series_meet(self, line: Line) -> None:
        """Reading on at `next_since` gives every point once."""
        story = Story("orders")
        for i in range(100):
            story.sample(readings={"transitions_per_s": float(i)})
        views = await line.tell(story.book.new, VIEWS["signals"])
        values: list[float | None] = []
        since = at(0)
        while since is not None:
            part = await signals.series(
                views,
                "orders",
                names=["transitions_per_s", "persistence_p99_ms"],
                since=since,
                until=at(1000),
                limit=60,
            )
            values += [p.value for p in part.points if p.signal == "transitions_per_s"]
            since = part.next_since
        assert values == [float(i) for i in range(100)]

    async def test_missing_is_none_with_its_reason(self, line: Line) -> None:
        """A reading that was not made is never shown as a number."""
        story = Story("orders")
        story.sample(readings={"transitions_per_s": Missing.SCRAPE_FAILED})
        story.sample(readings={"transitions_per_s": 0.0})
        views = await line.tell(story.book.new, VIEWS["signals"])
        found = await signals.series(
            views, "orders", names=["transitions_per_s"], since=at(0), until=at(9)
        )
        assert [(p.value, p.missing) for p in found.points] == [
            (None, Missing.SCRAPE_FAILED),
            (0.0, None),
        ]

    async def test_old_blocks_go_save_around_transitions(
        self, line: Line, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Blocks behind the retention are forgotten; half an hour around a transition stays."""
        monkeypatch.setattr(signals, "KEPT_S", 2 * signals.BLOCK_S)
        story = Story("orders")
        for i in range(600):  # ten blocks of 60 slots
            story.sample()
            if i == 130:  # in the third block
                story.turned("happy", "stressed")
        views = await line.tell(story.book.new, VIEWS["signals"])
        found = await signals.series(
            views, "orders", names=["transitions_per_s"], since=at(0), until=at(1000)
        )
        blocks = sorted({(p.at.timestamp() - NOON) // signals.BLOCK_S for p in found.points})
        assert blocks == [1, 2, 3, 7, 8, 9]

    async def test_unknown_signal_is_refused(self, line: Line) -> None:
        """A misspelt name is named back to the caller."""
        views = await line.tell([], VIEWS["signals"])
        with pytest.raises(Rejected, match="transitons"):
            await signals.series(views, "orders", names=["transitons"], since=at(0), until=at(1))


class TestServices:
    async def test_since_is_the_last_change(self, line: Line) -> None:
        """A service keeps its `since` while verdicts repeat it, and moves it when they differ."""
        story = Story("orders")
        story.sample(services={"history": ("ok", "low"), "matching": ("ok", "low")})
        story.sample(services={"history": ("blocked", "high"), "matching": ("ok", "low")})
        story.service("history", "blocked", "high", "persistence_p99_ms")
        story.sample(services={"history": ("blocked", "high"), "matching": ("ok", "low")})
        views = await line.tell(story.book.new, VIEWS["services"])
        found = {s.service: s for s in await services.of_cluster(views, "orders")}
        assert (found["history"].since, found["history"].dominant_signal) == (
            at(1),
            "persistence_p99_ms",
        )
        assert (found["matching"].since, found["matching"].dominant_signal) == (at(0), None)


class TestIncidents:
    async def test_incident_from_leaving_happy_to_happy_again(self, line: Line) -> None:
        """Begin, worst, end, gates in order of firing, and how long nothing was seen."""
        story = Story("orders")
        trouble(story)
        views = await line.tell(story.book.new, VIEWS["incidents"])
        (found,) = (await incidents.page(views)).incidents
        assert (found.began, found.ended, found.duration_s) == (at(2), at(8), 180)
        assert (found.worst, found.worst_at, found.transitions) == (Status.CRITICAL, at(3), 4)
        assert found.gates == ("waiting", "no-progress", "role-gone")
        assert [(b.from_ms, b.to_ms) for b in found.blind] == [
            (at(4).timestamp() * 1000, at(6).timestamp() * 1000)
        ]
        assert (found.blind_s, found.blind_now) == (60, False)
        assert await incidents.one(views, found.id) == found

    async def test_open_incident_has_no_end(self, line: Line) -> None:
        """An incident that was not seen to end is open, and blindness goes on in it."""
        story = Story("orders")
        story.sample(status="critical")
        story.turned("unknown", "critical", gates=("no-progress",))
        story.sample(status="critical", evidence="blind")
        story.sight("fresh", "blind")
        views = await line.tell(story.book.new, VIEWS["incidents"])
        (found,) = (await incidents.page(views, only_open=True)).incidents
        assert (found.ended, found.duration_s, found.end_summary) == (None, None, None)
        assert (found.blind_now, found.blind[0].to_ms) == (True, None)

    async def test_pages_and_spans(self, line: Line) -> None:
        """Pages are newest first and complete; a span takes every incident that touches it."""
        book = Book()
        for name in ("a", "b"):
            story = Story(name, book)
            for _ in range(3):
                story.sample()
                story.sample(status="stressed")
                story.turned("happy", "stressed")
                story.sample()
                story.turned("stressed", "happy")
        views = await line.tell(book.new, VIEWS["incidents"])
        first = await incidents.page(views, limit=4)
        rest = await incidents.page(views, before=first.next_before, limit=4)
        ids = [i.id for i in (*first.incidents, *rest.incidents)]
        assert ids == [f"{c}@{at(n).timestamp()}" for n in (7, 4, 1) for c in ("b", "a")]
        assert rest.next_before is None
        middle = await incidents.page(views, cluster="a", since=at(4), until=at(6))
        assert [i.began for i in middle.incidents] == [at(4)]

    async def test_what_is_no_id_is_refused(self, line: Line) -> None:
        """A made-up id is the caller's mistake; a well-formed one of nothing is just not there."""
        views = await line.tell([], VIEWS["incidents"])
        with pytest.raises(Rejected, match="no incident id"):
            await incidents.one(views, "orders")
        assert await incidents.one(views, "orders@17") is None


class TestLogPatterns:
    async def test_counts_excerpts_and_surges(self, line: Line) -> None:
        """Counts come per slot, service and pattern; an unread slot is a line without a count."""
        story = Story("orders")
        excerpt = LogExcerpt(service="history", pattern="shard-acquired", untrusted_text="rm -rf")
        story.sample()
        story.logged({"history": {"shard-acquired": 3, "no-poller": 1}}, excerpts=(excerpt,))
        story.surged("history", "shard-acquired", 3, 0.1)
        story.sample()
        story.logged(None)
        views = await line.tell(story.book.new, VIEWS["log_patterns"])
        found = await log_patterns.counts(views, "orders", since=at(0), until=at(9))
        assert [(c.at, c.pattern, c.count, c.missing) for c in found] == [
            (at(1), None, None, Missing.TIMED_OUT),
            (at(0), "no-poller", 1, None),
            (at(0), "shard-acquired", 3, None),
        ]
        (line_,) = await log_patterns.excerpts(views, "orders", since=at(0), until=at(9))
        assert line_.untrusted_text == "rm -rf"
        (surge,) = await log_patterns.surges(views, "orders", since=at(0), until=at(9))
        assert (surge.pattern, surge.count, surge.usual) == ("shard-acquired", 3, 0.1)

    async def test_a_secret_in_a_line_is_not_shown(self, line: Line) -> None:
        """A line that was recorded with a key in it is shown without."""
        story = Story("orders")
        said = "login with AKIAIOSFODNN7EXAMPLE refused"
        excerpt = LogExcerpt(service="history", pattern="no-poller", untrusted_text=said)
        story.sample()
        story.logged({"history": {"no-poller": 1}}, excerpts=(excerpt,))
        views = await line.tell(story.book.new, VIEWS["log_patterns"])
        (found,) = await log_patterns.excerpts(views, "orders", since=at(0), until=at(9))
        assert found.untrusted_text == "login with [key] refused"

    async def test_old_counts_go_surges_stay(
        self, line: Line, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Counts older than the retention are forgotten, by the cluster's own event time."""
        monkeypatch.setattr(log_patterns, "KEPT_S", 2 * STEP_S)
        story = Story("orders")
        for i in range(6):
            story.sample()
            story.logged({"history": {"no-poller": i}})
            story.surged("history", "no-poller", i, 0.0)
        views = await line.tell(story.book.new, VIEWS["log_patterns"])
        assert [
            c.count for c in await log_patterns.counts(views, "orders", since=at(0), until=at(9))
        ] == [5, 4, 3]
        assert len(await log_patterns.surges(views, "orders", since=at(0), until=at(9))) == 6


class TestBottleneck:
    async def test_stretches_end_where_the_next_begins(self, line: Line) -> None:
        """The newest stretch is open; each older one ends at the change that followed it."""
        story = Story("orders")
        story.sample()
        story.bottleneck("unknown", "healthy")
        story.sample()
        story.sample()
        story.bottleneck("healthy", "worker-limited", "no free slots")
        views = await line.tell(story.book.new, VIEWS["bottleneck"])
        found = await bottleneck.stretches(views, "orders")
        assert [(b.bottleneck, b.since, b.until) for b in found] == [
            ("worker-limited", at(2), None),
            ("healthy", at(0), at(2)),
        ]
        assert found[0].reasons == ("no free slots",)


async def test_view_without_a_build_is_unavailable(line: Line) -> None:
    """Before the projector's first start a query says what to do, and does not answer empty."""
    with pytest.raises(Unavailable, match="no live build"):
        await clusters.page(line.views)


class TestConfigHistory:
    """Configurations of a cluster; in DSQL mode too."""

    @staticmethod
    def told() -> Story:
        """Three configurations of orders, one of payments in between."""
        book = Book()
        story, other = Story("orders", book), Story("payments", book)
        story.sample()
        story.configured({"qps": 3000, "shards": 512, "ratio": 1.0})
        other.sample()
        other.configured({"qps": 7})
        story.sample()
        story.configured({"qps": 9000, "shards": 512, "ratio": 1.0}, author="lee", reason="load")
        story.sample()
        story.configured(
            {"qps": 9000, "shards": 4096, "ratio": 1.0}, apply="recreate", modifier="orchestrator"
        )
        return story

    async def test_the_newest_one_is_in_force(self, line: Line) -> None:
        """Values keep their types; bounds, versions, author and reason stand beside them."""
        story = self.told()
        views = await line.tell(story.book.new, VIEWS["config_history"])
        found = await config_history.current(views, "orders")
        assert found is not None
        assert story.config is not None
        assert (found.version, found.since) == (3, at(2))
        assert found.fingerprint == story.config.fingerprint
        assert repr(found.values) == repr(dict(sorted(story.config.values.items())))
        assert found.bounds == story.config.bounds
        assert (found.preset, found.modifier) == ("starter", "orchestrator")
        assert (found.author, found.reason) == ("kim", "a test")
        assert found.event_id == str(story.id_of_last())
        assert await config_history.current(views, "nobody") is None

    async def test_pages_hold_every_configuration_once(self, line: Line) -> None:
        """Newest first, below a version, with what each of them changed."""
        views = await line.tell(self.told().book.new, VIEWS["config_history"])
        first = await config_history.page(views, "orders", limit=2)
        assert [e.version for e in first.entries] == [3, 2]
        assert first.next_before == 2
        rest = await config_history.page(views, "orders", before=first.next_before, limit=2)
        assert ([e.version for e in rest.entries], rest.next_before) == ([1], None)
        assert rest.entries[0].previous_fingerprint is None
        assert first.entries[1].previous_fingerprint == rest.entries[0].fingerprint
        assert [(c.parameter, c.before, c.after) for c in first.entries[1].changes] == [
            ("qps", 3000, 9000)
        ]

    async def test_a_configuration_is_found_by_version_and_fingerprint(self, line: Line) -> None:
        """A fingerprint stands for the newest configuration that has it."""
        story = self.told()
        story.configured({"qps": 3000, "shards": 512, "ratio": 1.0})
        views = await line.tell(story.book.new, VIEWS["config_history"])
        first = await config_history.of_version(views, "orders", 1)
        newest = await config_history.newest(views, "orders")
        assert first is not None
        assert newest is not None
        assert (newest.version, newest.fingerprint) == (4, first.fingerprint)
        by_print = await config_history.newest(views, "orders", fingerprint=first.fingerprint)
        assert by_print == newest
        assert await config_history.newest(views, "payments", fingerprint="0" * 64) is None
        assert await config_history.of_version(views, "orders", 5) is None

    async def test_differences_are_composed(self, line: Line) -> None:
        """Across several versions, both ways; a parameter that did not change is not in it."""
        views = await line.tell(self.told().book.new, VIEWS["config_history"])
        forth = await config_history.changes_between(views, "orders", after=1, to=3)
        back = await config_history.changes_between(views, "orders", after=3, to=1)
        assert [(c.parameter, c.before, c.after, c.apply) for c in forth] == [
            ("qps", 3000, 9000, "live"),
            ("shards", 512, 4096, "recreate"),
        ]
        assert [(c.parameter, c.before, c.after) for c in back] == [
            ("qps", 9000, 3000),
            ("shards", 4096, 512),
        ]
        whole = await config_history.changes_between(views, "orders", after=0, to=3)
        assert {c.parameter: (c.before, c.after) for c in whole} == {
            "qps": (None, 9000), "shards": (None, 4096), "ratio": (None, 1.0),
        }  # fmt: skip
        assert await config_history.changes_between(views, "orders", after=2, to=2) == ()

    async def test_a_secret_in_a_reason_is_not_shown(self, line: Line) -> None:
        """Whatever somebody gave as his reason is guarded on its way out, on the timeline too."""
        story = Story("orders")
        story.sample()
        story.configured({"qps": 1}, reason="use password=hunter22 now")
        views = await line.tell(story.book.new, VIEWS["config_history"], VIEWS["timeline"])
        found = await config_history.current(views, "orders")
        assert found is not None
        assert "hunter22" not in found.reason
        (entry,) = (await timeline.page(views, cluster="orders")).entries
        assert "hunter22" not in entry.summary

    async def test_configuration_is_on_the_timeline(self, line: Line) -> None:
        """A change of configuration is an entry with its reasons, among the other changes."""
        story = self.told()
        views = await line.tell(story.book.new, VIEWS["timeline"])
        entry = (await timeline.page(views, cluster="orders")).entries[0]
        assert (entry.type, entry.from_, entry.to) == ("ConfigChanged", "", "starter+orchestrator")
        assert entry.summary == "config starter+orchestrator by kim: a test"
        slot = NOON + 2 * STEP_S
        assert entry.reasons == (f"shards 512 to 4096 1/s, recreate: shards in slot {slot}",)
        assert entry.event_id == str(story.id_of_last())
