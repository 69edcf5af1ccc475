"""What is said at the moments that an operator meets: each in the words of a recorded incident."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from copilot_core.bottleneck import ADVICE, WorkerRule
from copilot_core.causes import CAUSE
from copilot_core.errors import Defect, Rejected
from copilot_core.events import (
    CausesRanked,
    Evidence,
    HealthTransitioned,
    LogSampleRecorded,
    NewEvent,
    SampleRecorded,
    cluster_of,
    encode,
)
from copilot_core.explanation import Explanation, Sentence
from copilot_core.readings import Missing
from copilot_core.values import Status
from copilot_core.words.book import Book, book_of
from copilot_core.words.explainer import explain, review, signature
from tests.property.test_explainer import events_of

RECORDINGS = Path("tests/data/recordings")
RUNBOOKS = Path("docs/rag/causes")


def recorded(name: str) -> tuple[NewEvent, ...]:
    """Every event of a recorded incident."""
    return events_of(next(RECORDINGS.glob(f"{name}-*.jsonl.gz")))


def book(events: tuple[NewEvent, ...], event: NewEvent) -> Book:
    """The book of an event."""
    return book_of(events, cluster=cluster_of(event.stream), explains=event.event_id)


def transition(events: tuple[NewEvent, ...], to: Status, *, n: int = 0) -> Book:
    """The book of the n-th transition to a status."""
    found = [
        e for e in events if isinstance(told := e.decoded(), HealthTransitioned) and told.to is to
    ]
    return book(events, found[n])


def ranking(events: tuple[NewEvent, ...], evidence: Evidence) -> Book:
    """The book of the last ranking that was made with such evidence."""
    found = [
        e
        for e in events
        if isinstance(told := e.decoded(), CausesRanked) and told.evidence is evidence
    ]
    return book(events, found[-1])


def words(known: Book) -> Explanation:
    """The explanation of what a book is about."""
    return explain(known, known.explains)


def said(sentences: tuple[Sentence, ...]) -> list[str]:
    """The texts of a part."""
    return [s.text for s in sentences]


def test_a_critical_cluster_is_told_from_the_cause_to_the_step() -> None:
    """Nobody polls: since when, what the gates compared, the signs, the way, the change, the
    runbook."""
    told = words(transition(recorded("o1"), Status.CRITICAL))
    assert told.headline.text == (
        "Cluster o1-workers-stopped is critical since 17:12:30 UTC; "
        "most likely cause: no worker polls the task queues."
    )
    assert "Before that it was stressed from 17:11:30 UTC to 17:12:30 UTC, 1 min." in said(
        told.since
    )
    assert "Tasks wait in matching: 1 min 31 s, threshold 20 s." in said(told.causes[0].sentences)
    assert said(told.path) == [
        "No worker polls the task queues.",
        "So tasks wait in matching.",
        "So workflows do not close.",
    ]
    assert any(
        "Worker processes: 2 processes at 17:10:30 UTC" in t for t in said(told.changed_before)
    )
    assert told.next_step.runbook == "workers-absent"
    assert told.next_step.action == CAUSE["workers/absent"].action


def test_getting_better_has_words_of_its_own() -> None:
    """After critical: how long it was, that the cause is no longer seen, and to leave it alone."""
    told = words(transition(recorded("o1"), Status.STRESSED, n=1))
    assert told.headline.text.startswith(
        "Cluster o1-workers-stopped is stressed since 17:17:30 UTC, after 5 min of critical; "
        "most likely cause was: "
    )
    assert told.causes[0].sentences[0].text.startswith("No longer seen, likeliest: ")
    assert told.next_step.action.startswith("Change nothing")


def test_an_ended_incident_is_reviewed_as_a_whole() -> None:
    """From begin to end, each stretch with its length, and the cause that it came to."""
    known = transition(recorded("n04"), Status.HAPPY, n=1)
    told = review(known, known.explains)
    assert told.headline.text == (
        "The incident of cluster n04-database-refused from 07:30:00 UTC to 07:37:00 UTC lasted "
        "7 min; most likely cause was: the database refuses or drops calls."
    )
    assert said(told.since)[:3] == [
        "It was stressed from 07:30:00 UTC to 07:31:00 UTC, 1 min.",
        "It was critical from 07:31:00 UTC to 07:33:30 UTC, 2 min 30 s.",
        "It was stressed from 07:33:30 UTC to 07:37:00 UTC, 3 min 30 s.",
    ]
    assert told.next_step.action.startswith("Nothing has to be done")


def test_blindness_is_the_headline() -> None:
    """A status that is held says so; what cannot be told apart, and for want of what, is told."""
    told = words(ranking(recorded("o7"), Evidence.BLIND))
    assert told.headline.text.startswith(
        "Cluster o7-metrics-lost is seen blind since 18:29:30 UTC, and its status is held at happy"
    )
    open_ = [t for t in said(told.certainty) if "cannot be told apart" in t]
    assert len(open_) == 1
    assert "work still seen" in open_[0]
    assert any(s.hypothesis for s in told.certainty)
    assert told.next_step.runbook == "monitoring-not-visible"


def test_trouble_that_users_do_not_notice_does_not_sound_like_an_outage() -> None:
    """One of two workers is gone: happy, but; and the way ends with users who notice nothing."""
    events = recorded("n08")
    first = next(e for e in events if isinstance(told := e.decoded(), CausesRanked) and told.causes)
    told = words(book(events, first))
    assert told.headline.text.endswith(", but a worker process is gone while others go on.")
    assert told.path[-1].text == "Yet users notice nothing."


def test_a_cause_that_nobody_found_is_open_and_services_are_named() -> None:
    """No row of the graph fits: where to look is told, and nothing is to be changed."""
    told = words(transition(recorded("n07"), Status.STRESSED))
    assert told.headline.text.endswith("; its cause is open.")
    assert told.causes == ()
    assert told.path == ()
    assert "Service frontend is degraded since 07:46:30 UTC." in said(told.since)
    assert "change nothing" in told.next_step.action
    assert told.next_step.runbook == ""


def test_two_causes_at_once_are_both_told() -> None:
    """Both in the headline, each with its evidence, and both steps."""
    told = words(transition(recorded("n13"), Status.CRITICAL))
    assert [(c.component, c.kind) for c in told.causes] == [
        ("workers", "absent"), ("database", "slow"),
    ]  # fmt: skip
    assert "; beside it: the database answers slowly." in told.headline.text
    assert CAUSE["workers/absent"].action in told.next_step.action
    assert "Beside that: look at the database" in told.next_step.action


def test_worker_rules_stand_beside_the_step() -> None:
    """While slots are full no worker may be taken away, whatever the step says."""
    events = recorded("t1")
    full = next(
        e
        for e in events
        if isinstance(told := e.decoded(), HealthTransitioned) and told.to is Status.STRESSED
    )
    rule = WorkerRule.NEVER_SCALE_DOWN_AT_ZERO
    assert f"{rule}: {ADVICE[rule]}" in words(book(events, full)).next_step.rules


def test_logs_that_could_not_be_read_are_told() -> None:
    """Causes that only logs show stay hidden then; the reason is that of the log sample."""
    events = list(recorded("o1"))
    known = transition(tuple(events), Status.CRITICAL)
    for n, event in enumerate(events):
        sample = event.decoded()
        if isinstance(sample, LogSampleRecorded):
            unread = sample.model_copy(update={"counts": None, "missing": Missing.TIMED_OUT})
            events[n] = replace(event, payload=encode(unread))
    told = words(book(tuple(events), next(e for e in events if e.event_id == known.explains)))
    assert any(t.startswith("Not seen (timed out): the logs") for t in said(told.not_seen))


@pytest.mark.parametrize("key", sorted(CAUSE))
def test_every_cause_leads_to_a_runbook(key: str) -> None:
    """The page that a next step names is there."""
    assert (RUNBOOKS / f"{CAUSE[key].runbook}.md").is_file()


# --- the signature ------------------------------------------------------------------------------


def test_figures_that_wobble_do_not_change_the_signature() -> None:
    """Another reading of the same signs is the same evidence; another status is not."""
    events = recorded("o1")
    stressed, critical = (transition(events, s) for s in (Status.STRESSED, Status.CRITICAL))
    other = list(events)
    for n, event in enumerate(other):
        told = event.decoded()
        if isinstance(told, CausesRanked) and told.slot == critical.slot:
            (cause,) = told.causes
            wobbled = tuple(s.model_copy(update={"value": s.value + 0.1}) for s in cause.evidence)
            cause = cause.model_copy(update={"evidence": wobbled, "score": 0.5})
            told = told.model_copy(update={"causes": (cause,)})
            other[n] = replace(event, payload=encode(told))
    wobbling = book_of(other, cluster=critical.cluster, explains=critical.explains)
    same = signature(critical, critical.explains)
    assert signature(wobbling, critical.explains) == same
    assert signature(stressed, stressed.explains) != same
    assert len(same) == 64


# --- what is not explained ----------------------------------------------------------------------


def test_a_sample_is_explained_by_nobody() -> None:
    """Asked for, it is refused with what to ask for instead."""
    events = recorded("o3")
    seen = book(events, next(e for e in events if e.type == SampleRecorded.__name__))
    with pytest.raises(Rejected, match="nobody explains a SampleRecorded"):
        explain(seen, seen.explains)


def test_a_book_of_another_event_is_a_defect() -> None:
    """A book knows what was known at one event, and is good for that one alone."""
    events = recorded("o3")
    one, two = (book(events, e) for e in events if e.type in ("HealthTransitioned", "CausesRanked"))
    with pytest.raises(Defect, match="the book of"):
        explain(one, two.explains)
