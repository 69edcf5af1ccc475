"""`copilot diagnose`: rankings line by line, and what each incident came to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from whenever import Instant

from copilot_core.causes import CAUSE
from tests.unit.cli.conftest import Copilot

RECORDINGS = Path("tests/data/recordings")
STOPPED = RECORDINGS / "o1-workers-stopped.jsonl.gz"
NAMES = sorted(path.name.split(".")[0] for path in RECORDINGS.glob("*.jsonl.gz"))


def diagnosed(copilot: Copilot, name: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The rankings of a recording and the summary."""
    called = copilot("diagnose", "--recording", RECORDINGS / f"{name}.jsonl.gz", "--json")
    assert called.code == 0
    *rankings, summary = called.records
    return rankings, summary


def test_every_line_is_a_ranking_and_the_last_is_the_summary(copilot: Copilot) -> None:
    """Type, cluster, event time and data; causes with score, evidence and what speaks against."""
    rankings, summary = diagnosed(copilot, "o1-workers-stopped")
    for line in rankings:
        assert line["type"] == "CausesRanked"
        assert line["cluster"] == "o1-workers-stopped"
        assert Instant.parse_iso(line["at"]).timestamp() == line["data"]["slot"]
        assert isinstance(line["data"]["cannot_tell"], list)
        for cause in line["data"]["causes"]:
            assert f"{cause['component']}/{cause['kind']}" in CAUSE
            assert 0 < cause["score"] <= 1
            assert cause["evidence"]
            assert cause["against"] == []
    assert summary["type"] == "Summary"
    (incident,) = summary["incidents"]
    assert incident["since"] == "2026-11-22T17:11:00Z"
    assert incident["until"] is None
    (cause,) = incident["causes"]
    assert (cause["component"], cause["kind"]) == ("workers", "absent")
    assert cause["score"] == rankings[-1]["data"]["causes"][0]["score"]


@pytest.mark.parametrize("name", NAMES)
def test_incidents_are_those_that_were_made(copilot: Copilot, name: str) -> None:
    """An incident with a cause overlaps something that was done to the cluster; where nothing was
    done there is none. Which causes are right is judged in `tests/recordings`."""
    truth = json.loads((RECORDINGS / f"{name}.truth.json").read_text())
    made = [f for f in truth["faults"] if f["cause"]]
    _, summary = diagnosed(copilot, name)
    named = [i for i in summary["incidents"] if i["causes"]]
    for incident in named:
        since = Instant.parse_iso(incident["since"]).timestamp(unit="millisecond")
        until = incident["until"]
        assert until is None or Instant.parse_iso(until).timestamp(unit="millisecond") > since
        assert any(since < f["end_ms"] + 60_000 for f in made)


def test_people_see_the_same(copilot: Copilot) -> None:
    """Without --json each ranking is a line, and the incident stands last."""
    called = copilot("diagnose", "--recording", STOPPED)
    assert called.code == 0
    *_, last = called.out.splitlines()
    assert last == (
        "incident from 2026-11-22T17:11:00Z to the end of the recording: workers absent 0.8571"
    )


def test_a_quiet_recording_has_no_incident(copilot: Copilot) -> None:
    """Nothing was done, nothing is found."""
    called = copilot("diagnose", "--recording", RECORDINGS / "o3-idle.jsonl.gz")
    assert called.out.splitlines()[-1] == "no incident"


def test_what_is_no_recording_is_refused(copilot: Copilot, tmp_path: Path) -> None:
    """Exit 2 and a reason, without a traceback."""
    file = tmp_path / "x.jsonl.gz"
    file.write_bytes(b"nothing")
    called = copilot("diagnose", "--recording", file, "--json")
    assert called.code == 2
    assert called.out == ""
    assert "Traceback" not in called.err
