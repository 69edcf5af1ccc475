"""`copilot record` against a real Prometheus that holds a real incident."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from copilot.demo import BUNDLED
from copilot_core.samples import Sample
from copilot_streams.recording import open_recording
from tests.infra.prometheus import Prometheus
from tests.unit.cli.conftest import Copilot

DATA = Path("tests/data")
INCIDENT = "o1-workers-stopped"
SPAN = ("--from", "1795367070", "--to", "2026-11-22T17:22:00Z")


@pytest.fixture
def prometheus(prometheus_of: Callable[[Path], Prometheus]) -> str:
    """The address of a Prometheus that scraped the incident."""
    return prometheus_of(DATA / f"openmetrics/{INCIDENT}.om.gz").url


def samples_of(path: Path) -> list[Sample]:
    """The metric samples of a recording."""
    with open_recording(path) as recording:
        return [m for m in recording if isinstance(m, Sample)]


def test_a_recorded_incident_equals_the_bundled_one(
    prometheus: str, copilot: Copilot, tmp_path: Path
) -> None:
    """From OpenMetrics through a real Prometheus and `copilot record`: the same readings."""
    out = tmp_path / "again.jsonl.gz"
    called = copilot(
        "record", "--prometheus", prometheus, "--cluster", INCIDENT, *SPAN, "--out", out
    )
    assert called.code == 0
    assert "36 slots" in called.err
    assert samples_of(out) == samples_of(BUNDLED)


def test_history_is_judged_like_the_recording_of_it(
    prometheus: str, copilot: Copilot, tmp_path: Path
) -> None:
    """`evaluate` over a Prometheus and over a recording of it: the same lines and digest."""
    out = tmp_path / "again.jsonl.gz"
    copilot("record", "--prometheus", prometheus, "--cluster", "x", *SPAN, "--out", out)
    recorded = copilot("evaluate", "--recording", out, "--json")
    asked = copilot("evaluate", "--prometheus", prometheus, "--cluster", "x", *SPAN, "--json")
    assert recorded.code == asked.code == 0
    assert recorded.records == asked.records


def test_a_backend_that_is_away_leaves_no_file(copilot: Copilot, tmp_path: Path) -> None:
    """A wrong address is refused before anything is asked; nothing is written."""
    out = tmp_path / "none.jsonl.gz"
    called = copilot("record", "--prometheus", "nowhere", "--cluster", "x", *SPAN, "--out", out)
    assert called.code == 2
    assert list(tmp_path.iterdir()) == []
