"""What each route answers about a recorded incident, on a real database."""

from __future__ import annotations

import re

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from copilot_api.app import described
from copilot_api.openapi import query_parameters
from copilot_core.events import EVENT_TYPES
from copilot_core.signals import SIGNAL_NAMES
from tests.integration.api.live import Clock, FoldedSlot, Live
from tests.integration.projections.line import Line

Incident = tuple[str, list[FoldedSlot]]


def _flat(row: dict[str, object]) -> bool:
    return all(not isinstance(value, dict) for value in row.values())


class TestStatus:
    async def test_status_is_what_the_fold_said(self, api: Live, incident: Incident) -> None:
        """Status, evidence and reasons are those of the last slot's verdict; it is current."""
        cluster, slots = incident
        verdict = slots[-1].sample.verdict
        said = await api.get(f"/v1/clusters/{cluster}/status")
        assert (said["status"], said["evidence"]) == (verdict.status, verdict.evidence)
        assert said["rules_digest"] == verdict.rules_digest
        assert said["at_ms"] == slots[-1].slot * 1000
        assert (said["current"], said["slot_age_s"], said["stale"]) == (True, 7.0, False)

    async def test_an_old_status_is_not_shown_as_current(
        self, api: Live, incident: Incident, clock: Clock
    ) -> None:
        """Two intervals after the last slot the answer says so, in numbers, in words, and by
        evidence; list and single status agree."""
        cluster, slots = incident
        clock.at = clock.at.add(hours=1)
        said = await api.get(f"/v1/clusters/{cluster}/status")
        (line,) = await api.get("/v1/clusters")
        for answer in (said, line):
            assert (answer["current"], answer["evidence"]) == (False, "blind")
            assert answer["evidence_recorded"] == slots[-1].sample.verdict.evidence
            assert answer["slot_age_s"] == 3607.0
            assert "NOT CURRENT" in answer["currency"]

    async def test_any_past_instant_shows_what_was_believed_then(
        self, api: Live, incident: Incident
    ) -> None:
        """`at` inside any slot gives that slot's verdict, by either spelling of the time."""
        cluster, slots = incident
        for slot in slots:
            verdict = slot.sample.verdict
            then = await api.get(f"/v1/clusters/{cluster}/status", at=slot.slot + 1)
            assert then["at_ms"] == slot.slot * 1000
            assert (then["status"], then["evidence_recorded"]) == (verdict.status, verdict.evidence)
            assert (then["current"], then["slot_age_s"]) == (True, 1.0)
        again = await api.get(f"/v1/clusters/{cluster}/status", at=then["asked_at"])
        assert again == then

    async def test_before_the_first_sample_there_is_nothing(
        self, api: Live, incident: Incident
    ) -> None:
        """Before the log begins, nothing was believed: 404 with a kind of its own."""
        cluster, slots = incident
        path = f"/v1/clusters/{cluster}/status?at={slots[0].slot - 1}"
        answer = await api.client.get(path)
        assert answer.status_code == 404
        assert answer.json()["type"] == "/problems/before_first_event"

    @pytest.mark.parametrize(
        "path",
        [
            "status", "services", "timeline", "incidents", "bottleneck", "log-patterns",
            "log-patterns/surges", "log-patterns/excerpts", "annotations",
            "signals?signal=transitions_per_s", "stream",
        ],
    )  # fmt: skip
    async def test_a_cluster_nobody_heard_of_is_404(self, api: Live, path: str) -> None:
        """An unknown cluster is not an empty list: a slip in its name shows."""
        answer = await api.client.get(f"/v1/clusters/nobody/{path}")
        assert answer.status_code == 404
        assert answer.json()["type"] == "/problems/unknown_cluster"


class TestHistory:
    async def test_timeline_tells_every_change_once(self, api: Live, incident: Incident) -> None:
        """Page by page through `Link`: each event that is more than a sample, newest first."""
        cluster, slots = incident
        told = [e for slot in slots for e in slot.events if e.type != "SampleRecorded"]
        found, path = [], f"/v1/clusters/{cluster}/timeline?limit=3"
        while path:
            answer = await api.client.get(path)
            found += answer.json()
            path = answer.links.get("next", {}).get("url", "")
        assert [e["event_id"] for e in found] == [str(e.event_id) for e in reversed(told)]
        assert all(e["at_ms"] % 1000 == 0 and e["at"].endswith("Z") for e in found)
        everybody = await api.get("/v1/timeline")
        assert everybody == found

    async def test_timeline_and_annotations_can_be_narrowed(
        self, api: Live, incident: Incident
    ) -> None:
        """`type` and the span narrow down; annotations carry time, title, text and tags."""
        cluster, _ = incident
        path = f"/v1/clusters/{cluster}"
        turned = await api.get(f"{path}/timeline", type="HealthTransitioned")
        assert {e["type"] for e in turned} == {"HealthTransitioned"}
        last = turned[0]
        only = await api.get(f"{path}/timeline", **{"from": last["at"], "type": last["type"]})
        assert only == [last]
        marks = await api.get(f"{path}/annotations", type="HealthTransitioned")
        assert [(m["time"], m["tags"][0]) for m in marks] == [(e["at_ms"], cluster) for e in turned]
        assert last["to"] in marks[0]["title"]
        assert last["summary"] in marks[0]["text"]

    async def test_an_incident_is_found_by_its_begin(self, api: Live, incident: Incident) -> None:
        """The list and the single incident say the same, and the recorded one became critical."""
        cluster, _ = incident
        found = await api.get(f"/v1/clusters/{cluster}/incidents")
        assert found
        assert found == await api.get("/v1/incidents")
        for one in found:
            path = f"/v1/clusters/{cluster}/incidents/{one['began_ms'] // 1000}"
            page = await api.get(path)
            assert {name: page[name] for name in one} == one
        assert "critical" in {one["worst"] for one in found}
        missing = await api.client.get(f"/v1/clusters/{cluster}/incidents/1")
        assert missing.json()["type"] == "/problems/unknown_incident"

    async def test_services_and_bottleneck_follow_the_verdict(
        self, api: Live, incident: Incident
    ) -> None:
        """Services are those of the last verdict; the first stretch is the present bottleneck."""
        cluster, slots = incident
        verdict = slots[-1].sample.verdict
        services = await api.get(f"/v1/clusters/{cluster}/services")
        assert {s["service"]: (s["progress"], s["pressure"]) for s in services} == verdict.services
        stretches = await api.get(f"/v1/clusters/{cluster}/bottleneck")
        assert stretches[0]["bottleneck"] == verdict.bottleneck
        assert stretches[0]["until"] is None


class TestSignals:
    async def test_readings_are_those_of_the_samples(self, api: Live, incident: Incident) -> None:
        """Long and wide rows hold what was recorded, slot by slot; missing is null and named."""
        cluster, slots = incident
        names = ["transitions_per_s", "workflow_backlog_age_s"]
        path = f"/v1/clusters/{cluster}/signals"
        long = await api.get(path, signal=names)
        wide = await api.get(path, signal=names, shape="wide")
        recorded = [slot.sample.readings for slot in slots]
        for name in names:
            index = SIGNAL_NAMES.index(name)
            expected = [r[index] if isinstance(r[index], float) else None for r in recorded]
            assert [p["value"] for p in long if p["signal"] == name] == expected
            assert [row[name] for row in wide] == expected
        assert [row["at_ms"] for row in wide] == [slot.slot * 1000 for slot in slots]
        assert all((p["value"] is None) == (p["missing"] is not None) for p in long)

    async def test_pages_of_readings_join_without_gap_or_double(
        self, api: Live, incident: Incident
    ) -> None:
        """Following `Link` with a tiny limit gives the same rows as one large page."""
        cluster, _ = incident
        path = f"/v1/clusters/{cluster}/signals?signal=transitions_per_s"
        whole = await api.get(path)
        found, following = [], f"{path}&limit=4"
        while following:
            answer = await api.client.get(following)
            found += answer.json()
            following = answer.links.get("next", {}).get("url", "")
        assert found == whole

    async def test_an_unknown_signal_has_a_name_for_it(self, api: Live, incident: Incident) -> None:
        """A slip in a signal's name is refused; the table of signals has those that exist."""
        answer = await api.client.get(f"/v1/clusters/{incident[0]}/signals?signal=none_such")
        assert answer.status_code == 422
        assert answer.json()["type"] == "/problems/unknown_signal"
        assert [s["name"] for s in await api.get("/v1/signals")] == list(SIGNAL_NAMES)


class TestRawLog:
    @pytest.mark.parametrize("limit", [1, 7, 1000])
    async def test_pages_of_the_log_join_to_the_log(
        self, api: Live, line: Line, incident: Incident, limit: int
    ) -> None:
        """By shard and by stream, whatever the page size: every event once, in order."""
        log = await line.log.read(0, limit=10_000)
        for place in ("shard=0", f"stream=health/{incident[0]}"):
            found, path = [], f"/v1/events?{place}&limit={limit}"
            while True:
                answer = await api.client.get(path)
                found += answer.json()
                path = answer.links["next"]["url"]
                if len(answer.json()) < limit:
                    break
            assert [e["event_id"] for e in found] == [str(e.event_id) for e in log]
            assert [e["position"] for e in found] == list(range(len(log)))
            assert (await api.client.get(path)).json() == []

    async def test_a_full_page_may_be_kept_and_the_end_may_not(self, api: Live) -> None:
        """What is recorded never changes: a full page is immutable, the last one is asked again."""
        full = await api.client.get("/v1/events?shard=0&limit=5")
        assert "immutable" in full.headers["cache-control"]
        end = await api.client.get("/v1/events?shard=0&limit=1000")
        assert "immutable" not in end.headers["cache-control"]


async def test_lists_are_flat_arrays_with_both_spellings_of_time(
    api: Live, incident: Incident
) -> None:
    """Every list is a JSON array of flat rows, with epoch milliseconds beside RFC 3339."""
    cluster = incident[0]
    for path in (
        "/v1/clusters", f"/v1/clusters/{cluster}/services", f"/v1/clusters/{cluster}/incidents",
        f"/v1/clusters/{cluster}/bottleneck", f"/v1/clusters/{cluster}/annotations",
        f"/v1/clusters/{cluster}/signals?signal=transitions_per_s",
        f"/v1/clusters/{cluster}/causes",
    ):  # fmt: skip
        rows = await api.get(path)
        assert isinstance(rows, list)
        assert rows, path
        assert all(_flat(row) for row in rows), path
        for row in rows:
            for name in (n for n in row if f"{n}_ms" in row and row[n] is not None):
                assert isinstance(row[f"{name}_ms"], int)
                assert row[name].endswith("Z")


PATHS = (
    "/v1/clusters", "/v1/clusters/{c}/status", "/v1/clusters/{c}/services", "/v1/timeline",
    "/v1/clusters/{c}/timeline", "/v1/clusters/{c}/signals", "/v1/incidents",
    "/v1/clusters/{c}/incidents", "/v1/clusters/{c}/bottleneck", "/v1/clusters/{c}/log-patterns",
    "/v1/clusters/{c}/log-patterns/surges", "/v1/clusters/{c}/log-patterns/excerpts",
    "/v1/clusters/{c}/annotations", "/v1/events", "/v1/clusters/{c}/causes",
    "/v1/clusters/{c}/explanations", "/v1/clusters/{c}/issues",
    "/v1/clusters/{c}/explanations/00000000-0000-0000-0000-000000000007",
)  # fmt: skip
TAKES = query_parameters(described().openapi())
VALUES = {
    "at": st.integers(946_684_800, 4_102_444_799).map(str),
    "from": st.integers(946_684_800, 4_102_444_799).map(str),
    "to": st.integers(946_684_800, 4_102_444_799).map(str),
    "until": st.integers(946_684_800, 4_102_444_799).map(str),
    "limit": st.integers(1, 1000).map(str),
    "after": st.text(alphabet=st.characters(codec="utf-8"), max_size=63),
    "cursor": st.text(max_size=20, alphabet="0123456789.@abcz-") | st.just("9" * 18 + ".1.1"),
    "signal": st.sampled_from([*SIGNAL_NAMES[:5], "none_such"]),
    "type": st.sampled_from([*EVENT_TYPES, "None"]),
    "shard": st.integers(0, 2**31 - 1).map(str),
    "stream": st.sampled_from(["health/o", "logs/o", "health/nobody"]),
    "open": st.sampled_from(["true", "false"]),
}


@given(
    path=st.sampled_from(PATHS),
    names=st.lists(st.sampled_from(sorted(VALUES)), max_size=9, unique=True),
    data=st.data(),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_values_that_pass_the_door_do_not_break_the_house(
    api: Live, incident: Incident, path: str, names: list[str], data: st.DataObject
) -> None:
    """Parameters that look right reach the database, and never end in 500 or 503."""
    takes = TAKES[re.sub("[0-9a-f]{8}-.*", "{event}", path.replace("{c}", "{cluster}"))]
    chosen = {name: data.draw(VALUES[name], label=name) for name in names if name in takes}
    async with httpx.AsyncClient(base_url=api.url, timeout=30) as client:
        answer = await client.get(path.format(c=incident[0]), params=chosen)
    assert answer.status_code in (200, 400, 404, 422), answer.text
