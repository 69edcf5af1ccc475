"""Issues: everything that is wrong has a row, nothing else has, and the order is the table's."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from copilot_core.causes import CAUSE
from copilot_core.events import (
    CausesRanked,
    HealthTransitioned,
    RankedCause,
    SampleRecorded,
    SightLost,
)
from copilot_core.readings import Missing
from copilot_core.rules import GATES
from copilot_projections.full_status import FullStatus, compose
from copilot_projections.issues import Issue, IssueKind, open_issues
from tests.unit.projections.story import NOON, Story, at

GATE_IDS = [gate.id for gate in GATES]


def full(story: Story) -> FullStatus:
    """The full status after a story, from the last event of each kind."""
    last: dict[type, Any] = {type(e): e for e in (event.decoded() for event in story.events)}
    return compose(
        last[SampleRecorded], last.get(HealthTransitioned), last.get(SightLost),
        last.get(CausesRanked), cluster=story.cluster, first_slot=NOON, shard=0, position=9,
    )  # fmt: skip


def kinds(found: tuple[Issue, ...]) -> list[IssueKind]:
    """The kinds of issues, in their order."""
    return [issue.kind for issue in found]


def test_a_healthy_cluster_in_full_sight_has_no_issue() -> None:
    """No row at all, as long as the status speaks for now."""
    story = Story()
    story.sample()
    assert open_issues(full(story)) == ()
    (old,) = open_issues(full(story), outdated="NOT CURRENT: an hour old")
    assert (old.kind, old.summary, old.since) == (
        IssueKind.OUTDATED,
        "NOT CURRENT: an hour old",
        at(0),
    )


def test_a_cause_comes_with_its_evidence_and_what_to_do() -> None:
    """Score, evidence and since are the event's; step and runbook those of the table of causes."""
    story = Story()
    story.sample(status="critical", fired=("no-progress",))
    story.ranked(("workers/absent", 0.92), ("database/slow", 0.4), cannot_tell=("host/overloaded",))
    first, second, gate, untold = open_issues(full(story))
    row = CAUSE["workers/absent"]
    assert (first.rank, first.kind, first.subject) == (1, IssueKind.CAUSE, "workers absent")
    assert (first.score, first.since, first.status) == (0.92, at(0), "critical")
    assert first.evidence == ("no worker process reports: 0 processes, threshold 1 process",)
    assert (first.summary, first.action, first.runbook) == (row.says, row.action, row.runbook)
    assert (second.subject, gate.kind, untold.kind) == (
        "database slow", IssueKind.GATE, IssueKind.UNTOLD,
    )  # fmt: skip
    assert (untold.signal, untold.score) == ("host_cpu_ratio", None)


def test_what_is_seen_goes_before_what_was() -> None:
    """A cause that is not forgotten yet but not seen any more comes behind those that are."""
    story = Story()
    story.sample(status="stressed")
    story.ranked(("workers/absent", 0.9), ("database/slow", 0.4))
    ranked = story.events[-1].decoded()
    assert isinstance(ranked, CausesRanked)
    past = ranked.causes[0].model_copy(update={"now": False})
    story.tell(ranked.model_copy(update={"causes": (past, ranked.causes[1])}))
    found = open_issues(full(story))
    assert [issue.subject for issue in found] == ["database slow", "workers absent"]
    assert found[1].summary.endswith("; not seen any more")
    assert found[0].action
    assert found[1].action == "", "what was stopped runs again"


def test_a_gate_shows_what_it_reads_now_and_what_it_was_held_to() -> None:
    """The newest reading of the gate's signal, beside the threshold of the transition."""
    gate = next(g for g in GATES if g.id == "persistence-p99")
    story = Story()
    story.sample(status="stressed", fired=(gate.id,), readings={"persistence_p99_ms": 812.5})
    story.turned("happy", "stressed", gates=(gate.id,))
    (issue,) = open_issues(full(story))
    assert (issue.signal, issue.value, issue.threshold) == ("persistence_p99_ms", 812.5, 0.2)
    assert (issue.unit, issue.summary, issue.status) == ("ms", gate.meaning, "stressed")


def test_gates_and_causes_that_this_program_does_not_know_are_shown() -> None:
    """Recorded by a newer program: named, without words of ours."""
    story = Story()
    story.sample(status="critical", fired=("none-such",))
    story.ranked(("quantum/entangled", 0.5))
    cause, gate = open_issues(full(story))
    assert (cause.subject, cause.action, cause.runbook) == ("quantum entangled", "", "")
    assert (gate.subject, gate.summary, gate.value) == ("none-such", "", None)


def test_blindness_comes_first_and_names_what_is_missing() -> None:
    """The status is held, not seen: that is said before any cause."""
    story = Story()
    lost = {f"signal_{n}": Missing.TIMED_OUT for n in range(7)}
    story.sample(
        status="critical", evidence="blind", fired=("no-progress",),
        missing=("transitions_per_s",), readings={"transitions_per_s": Missing.TIMED_OUT},
    )  # fmt: skip
    story.sight("fresh", "blind", missing=lost)
    story.ranked(("monitoring/not_visible", 0.8))
    found = open_issues(full(story))
    assert kinds(found) == [IssueKind.BLIND, IssueKind.CAUSE, IssueKind.GATE]
    assert "transitions_per_s (timed out)" in found[0].summary
    assert "critical is held" in found[0].summary


@given(
    status=st.sampled_from(("happy", "stressed", "critical")),
    evidence=st.sampled_from(("fresh", "partial", "blind")),
    fired=st.lists(st.sampled_from([*GATE_IDS, "none-such"]), unique=True, max_size=6),
    causes=st.lists(
        st.tuples(st.sampled_from(sorted(CAUSE)), st.floats(0, 1), st.booleans()), max_size=4
    ),
    untold=st.lists(st.sampled_from(sorted(CAUSE)), max_size=3),
    outdated=st.sampled_from(("", "old")),
)
def test_every_problem_has_one_row_in_the_order_of_the_table(
    status: str,
    evidence: str,
    fired: list[str],
    causes: list[tuple[str, float, bool]],
    untold: list[str],
    outdated: str,
) -> None:
    """One row per cause, gate, lack of sight and untold cause; ranks are dense; the kinds are in
    order; no row changes the status."""
    story = Story()
    story.sample(status=status, evidence=evidence, fired=tuple(fired))
    story.ranked(*((key, score) for key, score, _ in causes), cannot_tell=tuple(untold))
    ranked = story.events[-1].decoded()
    assert isinstance(ranked, CausesRanked)
    seen: tuple[RankedCause, ...] = tuple(
        cause.model_copy(update={"now": now})
        for cause, (_, _, now) in zip(ranked.causes, causes, strict=True)
    )
    story.tell(ranked.model_copy(update={"causes": seen}))
    before = full(story)
    found = open_issues(before, outdated=outdated)
    lacking = evidence != "fresh"
    assert len(found) == len(fired) + len(causes) + len(untold) + lacking + bool(outdated)
    assert [issue.rank for issue in found] == list(range(1, len(found) + 1))
    order = [list(IssueKind).index(kind) for kind in kinds(found)]
    assert order == sorted(order)
    assert before == full(story)
    assert {i.status for i in found if i.kind is not IssueKind.GATE} <= {status}
