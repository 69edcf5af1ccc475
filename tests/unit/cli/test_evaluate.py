"""`copilot evaluate`: the lines that scripts read."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from whenever import Instant

from copilot_core.events import EVENT_TYPES, Evidence, Status
from copilot_core.rules import RulePack
from copilot_streams.recording import open_recording
from tests.unit.cli.conftest import Copilot

RECORDINGS = Path("tests/data/recordings")
STOPPED = RECORDINGS / "o1-workers-stopped.jsonl.gz"
LOST = RECORDINGS / "o7-metrics-lost.jsonl.gz"


def test_every_line_is_an_event_and_the_last_is_the_summary(copilot: Copilot) -> None:
    """Type, cluster, event time in UTC and data on every line; counts and digest on the last."""
    called = copilot("evaluate", "--recording", STOPPED, "--all", "--json")
    assert called.code == 0
    *events, summary = called.records
    with open_recording(STOPPED) as recording:
        slots = [m.slot for m in recording if m.kind == "sample"]
        cluster = recording.header.cluster
    for event in events:
        assert set(event) == {"type", "cluster", "at", "data"}
        assert event["type"] in EVENT_TYPES
        assert event["cluster"] == cluster
        assert event["at"].endswith("Z")
        assert Instant.parse_iso(event["at"]).timestamp() == event["data"]["slot"]
    assert summary["type"] == "Summary"
    assert summary["samples"] == len(slots)
    assert summary["events"] == len(events)
    assert len(summary["digest"]) == 64
    assert set(summary["seconds_by_status"]) == {s.value for s in Status}
    assert set(summary["seconds_by_evidence"]) == {e.value for e in Evidence}
    assert sum(summary["seconds_by_status"].values()) == 30 * len(slots)
    assert sum(summary["seconds_by_evidence"].values()) == 30 * len(slots)


def test_a_transition_carries_its_reasons(copilot: Copilot) -> None:
    """From, to, gates with value, threshold and margin, evidence, rules, counterfactual."""
    events = copilot("evaluate", "--recording", STOPPED, "--json").records[:-1]
    transitions = [e["data"] for e in events if e["type"] == "HealthTransitioned"]
    assert [(t["from"], t["to"]) for t in transitions][1:3] == [
        ("happy", "stressed"), ("stressed", "critical"),
    ]  # fmt: skip
    for transition in transitions:
        assert transition["evidence"] in {e.value for e in Evidence}
        assert transition["rules_digest"] == RulePack.default().digest
        if transition["to"] != "happy":
            assert transition["gates"]
            assert transition["counterfactual"]
        for gate in transition["gates"]:
            assert {"id", "signal", "value", "threshold", "margin"} <= set(gate)
            assert gate["margin"] == pytest.approx(gate["value"] - gate["threshold"])


def test_lost_sight_names_the_missing_signals(copilot: Copilot) -> None:
    """SightLost and SightRegained tell the evidence and what is missing, by signal."""
    events = copilot("evaluate", "--recording", LOST, "--json").records[:-1]
    lost = [e["data"] for e in events if e["type"] == "SightLost"]
    regained = [e["data"] for e in events if e["type"] == "SightRegained"]
    assert any(data["evidence"] == "blind" and data["missing"] for data in lost)
    assert regained[-1]["evidence"] == "fresh"


def test_without_all_only_decisions_are_printed(copilot: Copilot) -> None:
    """The per-slot records are counted and left out; the summary stays the same."""
    every = copilot("evaluate", "--recording", STOPPED, "--all", "--json").records
    some = copilot("evaluate", "--recording", STOPPED, "--json").records
    seen = {"SampleRecorded", "LogSampleRecorded"}
    assert some == [r for r in every if r["type"] not in seen]


def test_people_see_the_same_reasons(copilot: Copilot) -> None:
    """The timeline shows transition, gate, threshold, counterfactual and digest."""
    called = copilot("evaluate", "--recording", STOPPED)
    summary = copilot("evaluate", "--recording", STOPPED, "--json").records[-1]
    assert "stressed → critical" in called.out
    assert "no-progress: first_steps_per_s 0 1/s" in called.out
    assert "would have stayed stressed" in called.out
    assert summary["digest"] in called.out


def test_other_rules_other_verdicts(copilot: Copilot, tmp_path: Path) -> None:
    """With an overlay that hears the grass grow, the first transition comes from its gate."""
    overlay = tmp_path / "nervous.toml"
    overlay.write_text("[gates.frontend-p99]\nall = 1\n[gates.persistence-p99]\nall = 1\n")
    usual = copilot("evaluate", "--recording", STOPPED, "--json").records
    nervous = copilot("evaluate", "--recording", STOPPED, "--rules", overlay, "--json").records
    assert nervous[-1]["digest"] != usual[-1]["digest"]
    assert nervous[-1]["seconds_by_status"]["happy"] < usual[-1]["seconds_by_status"]["happy"]


def test_a_recording_under_another_name(copilot: Copilot) -> None:
    """--cluster names the cluster in the output; that it is another one is said aside."""
    called = copilot("evaluate", "--recording", STOPPED, "--cluster", "other", "--json")
    assert called.code == 0
    assert {r["cluster"] for r in called.records[:-1]} == {"other"}
    assert "under the name other" in called.err


def broken(tmp_path: Path, content: bytes) -> Path:
    """A file that is no recording."""
    path = tmp_path / "broken.jsonl.gz"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not gzip",
        gzip.compress(b"not json\n"),
        gzip.compress(b'{"copilot_recording":2}\n'),
        gzip.compress(b"\xff\xfe\n"),
        STOPPED.read_bytes()[:3000],
        gzip.compress(gzip.decompress(STOPPED.read_bytes()) + b'{"v":1}\n'),
        gzip.compress(
            gzip.decompress(STOPPED.read_bytes()).replace(b'"cluster":"o1', b'"cluster":"o2', 3)
        ),
    ],
    ids=["empty", "no-gzip", "no-json", "version", "no-utf-8", "cut", "malformed", "liar"],
)
def test_what_is_no_recording_is_refused(content: bytes, copilot: Copilot, tmp_path: Path) -> None:
    """A wrong file exits with 2 and a message that names it, never with a traceback."""
    path = broken(tmp_path, content)
    called = copilot("evaluate", "--recording", path, "--json")
    assert called.code == 2
    assert str(path) in called.err
    assert "Traceback" not in called.err


@pytest.mark.parametrize(
    "args",
    [
        (),
        ("--prometheus", "http://127.0.0.1:1", "--cluster", "x"),
        ("--recording", STOPPED, "--prometheus", "http://127.0.0.1:1"),
        ("--recording", STOPPED, "--interval", "10s"),
        ("--recording", STOPPED, "--cluster", "No Such Name"),
        ("--prometheus", "prometheus:9090", "--cluster", "x", "--from", "1", "--to", "9"),
        ("--prometheus", "http://127.0.0.1:1", "--cluster", "x", "--from", "2e9", "--to", "1"),
        ("--prometheus", "http://127.0.0.1:1", "--cluster", "x", "--from", "99", "--to", "31"),
    ],
)
def test_what_cannot_be_evaluated_is_said(args: tuple[object, ...], copilot: Copilot) -> None:
    """No source, two, another interval, a bad name, address or time: exit 2 and a way out."""
    called = copilot("evaluate", *args)
    assert called.code == 2
    assert called.out == ""
    assert called.err.startswith("copilot: ")
