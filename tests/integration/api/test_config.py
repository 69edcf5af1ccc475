"""What the API says about configuration, over a recorded incident on a real database."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import pytest

from copilot_core.events import NewEvent, Scalar, new_event
from copilot_eventlog.config_log import CONFIG_SHARD, ConfigLog
from copilot_eventlog.memory import MemoryLog
from dsql_config.diff import changes_since
from dsql_config.emit import emit
from tests.integration.api.live import FoldedSlot, Live, stream
from tests.integration.projections.line import Line
from tests.unit.compiler.compiling import profile
from tests.unit.projections.story import NOON, Story

Incident = tuple[str, list[FoldedSlot]]

PROFILES: Sequence[tuple[Mapping[str, Scalar], dict[str, Any]]] = (
    ({"qps": 3000, "shards": 512, "jitter": 0.1, "reservoir": False}, {}),
    ({"qps": 9000, "shards": 512, "jitter": 0.1, "reservoir": False}, {"author": "lee"}),
    (
        {"qps": 9000, "shards": 512, "jitter": 0.1, "reservoir": True},
        {"apply": "restart", "preset": "mid-scale", "modifier": "orchestrator", "reason": "bursts"},
    ),
)


@pytest.fixture
async def configured(api: Live, line: Line, incident: Incident) -> str:
    """The incident's cluster, configured three times while it was watched, a slot apart."""
    cluster, slots = incident
    story = Story(cluster)
    for slot, (values, more) in zip(slots[10:], PROFILES, strict=False):
        story.slot = slot.slot
        story.configured(dict(values), **more)
    await line.append(story.book.new, shard=CONFIG_SHARD)
    await line.project()
    return cluster


def emitted_profiles(cluster: str) -> list[NewEvent]:
    """What the compiler emits for a preset, and then for the same with more shards."""
    log = ConfigLog(MemoryLog(), writer="test")
    events = []
    for made in (profile("starter"), profile("starter", None, {"history_shards": 1024})):
        told = emit(
            log, made, cluster=cluster, at=NOON, author="kim", reason="a test",
            changes_between=lambda former, made=made: changes_since(former, made),
        )  # fmt: skip
        events.append(new_event(told.event, cluster=cluster, version=told.version))
    return events


async def problem(api: Live, path: str) -> tuple[int, str]:
    """Status and kind of an answer that is a problem."""
    answer = await api.client.get(path)
    return answer.status_code, answer.json()["type"].removeprefix("/problems/")


class TestCurrent:
    async def test_it_says_what_is_in_force_and_why(
        self, api: Live, configured: str, incident: Incident
    ) -> None:
        """Every value by its type, what telemetry is expected to be, since when, who, and why."""
        said = await api.get(f"/v1/clusters/{configured}/config")
        values, more = PROFILES[-1]
        assert repr(said["values"]) == repr(dict(sorted(values.items())))
        assert {k: said[k] for k in ("preset", "modifier", "reason")} == {
            k: more[k] for k in ("preset", "modifier", "reason")
        }
        assert (said["version"], said["author"]) == (3, "kim")
        assert said["since_ms"] == incident[1][12].slot * 1000
        assert said["bounds"] == [
            {
                "signal": "transitions_per_s", "minimum": None, "maximum": 25.0, "unit": "1/s",
                "why": "the target",
            }
        ]  # fmt: skip

    async def test_a_cluster_without_a_configuration_is_told_so(
        self, api: Live, incident: Incident
    ) -> None:
        """Watched and never configured is another answer than never heard of; its history is
        empty."""
        cluster = incident[0]
        assert await problem(api, f"/v1/clusters/{cluster}/config") == (404, "no_config")
        assert await problem(api, f"/v1/clusters/{cluster}/config/diff") == (404, "no_config")
        assert await api.get(f"/v1/clusters/{cluster}/config/history") == []

    @pytest.mark.parametrize("path", ["config", "config/history", "config/diff"])
    async def test_a_cluster_nobody_heard_of_is_404(self, api: Live, path: str) -> None:
        """A slip in the name shows."""
        assert await problem(api, f"/v1/clusters/nobody/{path}") == (404, "unknown_cluster")

    async def test_a_cluster_may_be_configured_before_it_is_watched(
        self, api: Live, line: Line
    ) -> None:
        """A configuration is shown although no sample of the cluster was ever recorded."""
        story = Story("planned")
        story.configured({"qps": 1})
        await line.append(story.book.new, shard=CONFIG_SHARD)
        await line.project()
        assert (await api.get("/v1/clusters/planned/config"))["values"] == {"qps": 1}
        assert len(await api.get("/v1/clusters/planned/config/history")) == 1
        assert [c["cluster"] for c in await api.get("/v1/clusters")] != ["planned"]


class TestHistory:
    async def test_pages_tell_every_configuration_once(self, api: Live, configured: str) -> None:
        """Newest first through `Link`, each with what it changed about the one before."""
        found: list[dict[str, Any]] = []
        path = f"/v1/clusters/{configured}/config/history?limit=2"
        while path:
            answer = await api.client.get(path)
            found += answer.json()
            path = answer.links.get("next", {}).get("url", "")
        assert [e["version"] for e in found] == [3, 2, 1]
        assert [[c["parameter"] for c in e["changes"]] for e in found] == [
            ["reservoir"], ["qps"], ["jitter", "qps", "reservoir", "shards"],
        ]  # fmt: skip
        assert [e["previous_fingerprint"] for e in found] == [
            found[1]["fingerprint"], found[2]["fingerprint"], None,
        ]  # fmt: skip

    async def test_a_cursor_of_another_request_is_refused(
        self, api: Live, configured: str, line: Line
    ) -> None:
        """A cursor belongs to its cluster's configurations."""
        answer = await api.client.get(f"/v1/clusters/{configured}/config/history?limit=1")
        cursor = httpx.URL(answer.links["next"]["url"]).params["cursor"]
        other = f"/v1/clusters/other/config/history?cursor={cursor}"
        assert await problem(api, other) == (400, "bad_cursor")


class TestDiff:
    async def test_without_parameters_it_is_the_newest_change(
        self, api: Live, configured: str
    ) -> None:
        """What the last configuration changed, in the compiler's words, and what it takes."""
        said = await api.get(f"/v1/clusters/{configured}/config/diff")
        (newest, former, _) = await api.get(f"/v1/clusters/{configured}/config/history")
        assert said["changes"] == newest["changes"]
        assert (said["from_version"], said["to_version"], said["apply"]) == (2, 3, "restart")
        assert said["from_fingerprint"] == former["fingerprint"]
        assert said["to_fingerprint"] == newest["fingerprint"]

    async def test_versions_and_fingerprints_name_the_same(
        self, api: Live, configured: str
    ) -> None:
        """Either spelling of either side gives the same difference; 0 is before the first."""
        path = f"/v1/clusters/{configured}/config"
        prints = {e["version"]: e["fingerprint"] for e in await api.get(f"{path}/history")}
        said = [
            await api.get(f"{path}/diff", **{"from": a, "to": b})
            for a in ("1", prints[1])
            for b in ("3", prints[3])
        ]
        assert all(one == said[0] for one in said)
        assert [(c["parameter"], c["before"], c["after"]) for c in said[0]["changes"]] == [
            ("qps", 3000, 9000), ("reservoir", False, True),
        ]  # fmt: skip
        whole = await api.get(f"{path}/diff", **{"from": "0"})
        assert whole["from_fingerprint"] is None
        after = {c["parameter"]: c["after"] for c in whole["changes"]}
        assert after == (await api.get(path))["values"]

    async def test_from_nothing_to_what_the_compiler_emitted(self, api: Live, line: Line) -> None:
        """Over events of the real compiler, too, 0 to the newest is every value in force; what was
        before the first is not known."""
        emitted = await asyncio.to_thread(emitted_profiles, "compiled")
        await line.append(emitted, shard=CONFIG_SHARD)
        await line.project()
        path = "/v1/clusters/compiled/config"
        for to, version in (("1", 1), ("2", 2)):
            whole = await api.get(f"{path}/diff", **{"from": "0", "to": to})
            assert (whole["to_version"], {c["before"] for c in whole["changes"]}) == (
                version, {None},
            )  # fmt: skip
        after = {c["parameter"]: c["after"] for c in whole["changes"]}
        assert after == (await api.get(path))["values"]

    async def test_backwards_is_what_going_back_would_change(
        self, api: Live, configured: str
    ) -> None:
        """From the newest to the first: the values change sides, and each reason says it."""
        path = f"/v1/clusters/{configured}/config/diff"
        back = await api.get(path, **{"from": "3", "to": "1"})
        assert [(c["parameter"], c["before"], c["after"]) for c in back["changes"]] == [
            ("qps", 9000, 3000), ("reservoir", True, False),
        ]  # fmt: skip
        assert all(c["why"].startswith("undoes: ") for c in back["changes"])
        same = await api.get(path, **{"from": "2", "to": "2"})
        assert (same["changes"], same["apply"]) == ([], None)

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("to=4", (404, "unknown_config")),
            ("to=0", (404, "unknown_config")),
            (f"from={'f' * 64}", (404, "unknown_config")),
            ("from=-1", (422, "invalid_parameter")),
            ("to=abc", (422, "invalid_parameter")),
            ("form=1", (422, "invalid_parameter")),
        ],
    )
    async def test_what_names_no_configuration_is_refused(
        self, api: Live, configured: str, query: str, expected: tuple[int, str]
    ) -> None:
        """A version or fingerprint that there is not, and what can be none, are told apart."""
        assert await problem(api, f"/v1/clusters/{configured}/config/diff?{query}") == expected

    async def test_too_far_apart_is_refused_with_the_limit(self, api: Live, line: Line) -> None:
        """A difference over more than a thousand versions is not composed."""
        story = Story("busy")
        for n in range(1002):
            story.configured({"qps": n})
        await line.append(story.book.new, shard=CONFIG_SHARD)
        await line.project()
        path = "/v1/clusters/busy/config/diff"
        assert await problem(api, f"{path}?from=1") == (422, "limit_exceeded")
        (change,) = (await api.get(path, **{"from": "2"}))["changes"]
        assert (change["before"], change["after"]) == (1, 1001)


class TestElsewhere:
    async def test_annotations_mark_changes_of_configuration(
        self, api: Live, configured: str, incident: Incident
    ) -> None:
        """Grafana gets a mark per change: its time, what it is now, why, and tags to filter by."""
        path = f"/v1/clusters/{configured}/annotations"
        marks = await api.get(path, type="ConfigChanged")
        assert [m["time"] for m in marks] == [s.slot * 1000 for s in reversed(incident[1][10:13])]
        assert marks[0]["title"] == f"{configured}: mid-scale+orchestrator"
        assert "bursts" in marks[0]["text"]
        assert "reservoir false to true" in marks[0]["text"]
        assert marks[0]["tags"] == [
            configured, "ConfigChanged", "mid-scale+orchestrator", "restart",
        ]  # fmt: skip
        assert marks[1]["tags"][-1] == "live"

    async def test_the_first_configuration_is_one_mark(
        self, api: Live, configured: str, incident: Incident
    ) -> None:
        """All its values are in the event; the mark says how many, and no change by name."""
        marks = await api.get(f"/v1/clusters/{configured}/annotations", type="ConfigChanged")
        assert marks[-1]["text"].splitlines() == [
            "first configuration starter by kim: a test",
            "values set: 4; what was there before is not known",
        ]
        assert marks[-1]["tags"] == [configured, "ConfigChanged", "starter", "first"]

    async def test_annotations_stand_among_the_others(self, api: Live, configured: str) -> None:
        """Without a type, marks of configuration and of health come together."""
        path = f"/v1/clusters/{configured}/annotations"
        both = await api.get(path)
        assert {m["tags"][1] for m in both} > {"ConfigChanged", "HealthTransitioned"}

    async def test_raw_log_and_streams_carry_them(self, api: Live, configured: str) -> None:
        """The stream of configurations is read by version, and followed with the cluster's
        others."""
        rows = await api.get("/v1/events", stream=f"config/{configured}")
        assert [(r["version"], r["type"], r["caused_by"]) for r in rows] == [
            (n, "ConfigChanged", None) for n in (1, 2, 3)
        ]
        at = f"/v1/clusters/{configured}/stream"
        async with stream(api, at, after="start", type="ConfigChanged") as messages:
            await anext(messages)
            seen = [(await anext(messages)).data for _ in range(3)]
        assert seen == rows

    @pytest.mark.parametrize("path", ["config", "config/history?limit=2", "config/diff"])
    async def test_answers_are_named_and_change_with_the_next_change_alone(
        self, api: Live, configured: str, line: Line, path: str
    ) -> None:
        """304 while the configuration is the same, also when samples came; then a new answer."""
        url = f"/v1/clusters/{configured}/{path}"
        first = await api.client.get(url)
        held = {"If-None-Match": first.headers["etag"]}
        other = Story("somebody-else")
        other.sample()
        await line.append(other.book.new, shard=1)
        await line.project()
        assert (await api.client.get(url, headers=held)).status_code == 304
        await line.append([_fourth(configured)], shard=CONFIG_SHARD)
        await line.project()
        again = await api.client.get(url, headers=held)
        assert again.status_code == 200
        assert again.json() != first.json()


def _fourth(cluster: str) -> NewEvent:
    story = Story(cluster)
    story.configured({"qps": 1})
    assert story.config is not None
    return new_event(story.config, cluster=cluster, version=len(PROFILES) + 1)
