"""Events in words: every type is told or known to be silent, and nothing breaks on odd input."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest

from copilot_core.causes import CAUSE
from copilot_core.events import CannotTell, CutSentence, IncidentReviewed, decode
from copilot_core.readings import Missing
from copilot_projections import telling
from copilot_projections.views import timeline
from tests.unit.projections.explaining import explaining, ranking
from tests.unit.projections.story import NOON

GOLDEN = Path(__file__).parents[2] / "golden" / "events"


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda p: p.stem)
def test_every_type_is_one_line_or_silent(path: Path) -> None:
    """What is on the timeline has a summary of one line; a sample has none."""
    name, _, version = path.stem.partition(".v")
    told = telling.of(decode(name, int(version), path.read_bytes()))
    assert (told is not None) == (name in timeline.TYPES)
    if told is not None:
        assert told.summary
        assert "\n" not in told.summary


def test_causes_are_told_likeliest_first_with_scores_and_evidence() -> None:
    """The summary names each cause with its score; the reasons say what was seen, and what cannot
    be told."""
    told = telling.of(
        ranking(
            NOON,
            [("workers/absent", 0.92), ("database/connections_exhausted", 0.4)],
            cannot_tell=["network/unreachable"],
            since=NOON,
        )
    )
    assert told is not None
    assert told.summary == "causes: workers absent (0.92), database connections exhausted (0.40)"
    assert told.became == "workers absent"
    assert (
        told.reasons[0]
        == "workers absent: no worker process reports: 0 processes, threshold 1 process"
    )
    assert told.reasons[-1] == (
        f"cannot tell whether {CAUSE['network/unreachable'].says}: host_cpu_ratio (no source)"
    )


def test_no_cause_is_told_as_none() -> None:
    """An empty ranking says that no cause is known (any more)."""
    told = telling.of(ranking(NOON, [], since=NOON))
    assert told is not None
    assert (told.summary, told.became) == ("causes: none", "")


@pytest.mark.parametrize("other", [None, "", "workers", "database/slow", "a/b/c"])
def test_whatever_a_cause_may_be_mistaken_for_is_told(other: str | None) -> None:
    """A name that is no cause of ours is shown as it is."""
    cannot = CannotTell(
        component="network", kind="unreachable", rather_than=other, signal="host_cpu_ratio",
        missing=Missing.TIMED_OUT,
    )  # fmt: skip
    said = telling.untold(cannot)
    assert said.startswith(f"cannot tell whether {CAUSE['network/unreachable'].says}")
    assert said.endswith("host_cpu_ratio (timed out)")


@pytest.mark.parametrize("change", [{"id": "none-such"}, {"unit": "1/fortnight"}])
def test_a_sign_of_a_newer_program_is_told_by_its_signal(change: dict[str, str]) -> None:
    """An unknown sign, or a known one in another unit, is shown as it was recorded."""
    (cause,) = ranking(NOON, [("workers/absent", 0.5)], since=NOON).causes
    sign = cause.evidence[0].model_copy(update=change)
    assert telling.seen_sign(sign).startswith("worker_processes 0 ")


def test_who_worded_it_and_why_it_stands() -> None:
    """An explanation is told with its author and headline; why the words of the rules stand, and
    how many sentences were cut, are among the reasons."""
    cut = (CutSentence(part="causes", reason="no such number"),)
    event = explaining(
        IncidentReviewed, NOON, UUID(int=7), stands_because="the budget is spent", cut=cut
    )
    told = telling.of(event)
    assert told is not None
    assert told.summary == "incident reviewed by rules: Nothing closes, told by the rules."
    assert told.reasons == [
        "Start the workers.",
        "the words of the rules stand: the budget is spent",
        "sentences cut: 1",
    ]
