"""Text that says more than its claims is cut, however true the claims are.

Each row is a sentence with true claims about a recorded incident, whose text says something else
or something more. `{0.value}` is the value of the first claim as it is written.
"""

# ruff: noqa: E501 - a row of the table is a line
from __future__ import annotations

from typing import Final

import pytest

from copilot_core.explanation import MAX_SENTENCE_CHARS
from copilot_core.proving.proof import proven
from tests.unit.core.explained import book
from tests.unit.core.test_rewordings import ABSENT, DB, REFUSED, SLOW, sentence_of

ATTACKS: Final[tuple[tuple[tuple[str, str], str, str], ...]] = (
    # --- another actor
    (ABSENT, "status", "Cluster billing is critical since {0.since}."),
    (ABSENT, "status", "Cluster critical is critical since {0.since}."),
    (ABSENT, "status", "Evidence is critical since {0.since}."),
    (ABSENT, "status", "The bottleneck is critical since {0.since}."),
    (ABSENT, "status", "Matching is critical since {0.since}."),
    (ABSENT, "state:service:history", "Cluster {cluster} is {0.state} since {0.since}."),
    (ABSENT, "state:service:history", "Matching is {0.state} since {0.since}."),
    (ABSENT, "sign:waiting", "The oldest activity task in matching has waited {0.value}."),
    (ABSENT, "sign:waiting", "The oldest workflow task in matching has waited {0.value}."),
    (ABSENT, "sign:waiting", "Workers wait in matching: {0.value}."),
    (REFUSED, "gate:persistence_error_ratio", "{0.value} of all database calls failed."),
    (ABSENT, "sign:database-quick", "The database is not the cause: calls are quick at {0.value}."),
    (ABSENT, "gate:closings_per_s", "Workflows started: {0.value}, below the threshold of {0.threshold}."),
    (ABSENT, "value:demand_per_s", "Workflows closed: {0.value}."),
    (DB, "sign:database-slow", "The p95 latency of database calls was {0.value}, threshold {0.threshold}."),
    (DB, "sign:database-slow", "The p99 latency of frontend calls was {0.value}, threshold {0.threshold}."),
    (DB, "sign:database-slow", "The latency of calls was {0.value}, threshold {0.threshold}."),
    (REFUSED, "gate:persistence_error_ratio", "{0.value} of the database calls succeeded."),
    (REFUSED, "gate:persistence_error_ratio", "{0.value} of the database calls: threshold {0.threshold}."),
    # --- another direction, side or order
    (ABSENT, "gate:closings_per_s", "Workflows closed: {0.value}, above the threshold of {0.threshold}."),
    (ABSENT, "gate:closings_per_s", "Workflows closed: {0.value}, which reached the threshold of {0.threshold}."),
    (ABSENT, "gate:closings_per_s", "The threshold of workflows closed is {0.value}."),
    (ABSENT, "gate:closings_per_s", "Workflows closed: {0.threshold}, threshold {0.value}."),
    (ABSENT, "gate:closings_per_s", "Workflows closed: {0.value}, then {0.threshold}."),
    (ABSENT, "gate:closings_per_s", "Workflows closed fell from {0.threshold} to {0.value}."),
    (ABSENT, "gate:closings_per_s", "Workflows closed: {0.value} and rising."),
    (ABSENT, "gate:closings_per_s", "Workflows closed after: {0.value}."),
    (ABSENT, "gate:closings_per_s", "Workflows closed: {0.value} or {0.threshold}."),
    (ABSENT, "change:workflow_backlog_age_s", "The age of the oldest workflow task in matching fell from {0.before} to {0.after}."),
    (ABSENT, "change:workflow_backlog_age_s", "The age of the oldest workflow task in matching rose from {0.after} to {0.before}."),
    (ABSENT, "change:workflow_backlog_age_s", "The age of the oldest workflow task in matching rose by {0.after}."),
    (DB, "change:persistence_p99_ms", "p99 latency of database calls rose from {0.before} at {0.to_at} to {0.after} at {0.from_at}."),
    (ABSENT, "began", "The trouble was first seen at {0.first}, {0.apart} later."),
    (ABSENT, "before", "It is stressed from {0.since} to {0.until}."),
    (ABSENT, "before", "It was stressed until {0.since}."),
    (ABSENT, "before", "It was stressed from {0.until} to {0.since}."),
    (ABSENT, "status before", "The status went from critical to stressed at {0.since}."),
    (ABSENT, "status before", "The status went from stressed to critical at {1.since}."),
    (ABSENT, "status", "The status went from happy to critical at {0.since}."),
    (ABSENT, "status", "Cluster {cluster} was critical until {0.since}."),
    (ABSENT, "status", "Cluster {cluster} is critical again since {0.since}."),
    # --- negation, quantity, comparison
    (ABSENT, "status", "Cluster {cluster} is not critical since {0.since}."),
    (ABSENT, "status", "Cluster {cluster} is barely critical since {0.since}."),
    (ABSENT, "cause", "Every worker polls the task queues."),
    (ABSENT, "cause", "A worker polls the task queues."),
    (ABSENT, "cause", "No worker polls any other task queues."),
    (ABSENT, "cause", "It is not so that no worker polls the task queues."),
    (ABSENT, "cause", "Only no worker polls the task queues."),
    (ABSENT, "cause", "The task queues poll no worker."),
    (ABSENT, "step:tasks-wait", "All tasks wait in matching."),
    (ABSENT, "step:tasks-wait", "Few tasks wait in matching."),
    (ABSENT, "step:tasks-wait", "Tasks hardly wait in matching."),
    (ABSENT, "step:tasks-wait", "Tasks wait in matching for the first time."),
    (ABSENT, "gate:closings_per_s", "Workflows closed: {0.value}, half of what is usual."),
    (ABSENT, "gate:closings_per_s", "Workflows closed: {0.value}, for the whole period."),
    (ABSENT, "gate:closings_per_s", "Workflows closed: {0.value}, twice as few as before."),
    (ABSENT, "sign:waiting", "Tasks wait in matching, between 20 s and {0.value}."),
    (ABSENT, "sign:waiting", "Tasks wait in matching: {0.value}, far above the threshold of {0.threshold}."),
    (ABSENT, "sign:waiting", "Tasks wait in matching: more than {0.value}."),
    (ABSENT, "sign:waiting", "Tasks wait in matching: nearly {0.value}."),
    (ABSENT, "sign:waiting", "Three tasks wait in matching: {0.value}."),
    (ABSENT, "absence:worker_processes", "There are no worker processes."),
    (ABSENT, "absence:worker_processes", "Worker processes are missing."),
    (ABSENT, "absence:worker_processes", "Worker processes are gone: no series."),
    (ABSENT, "absence:worker_processes", "Worker processes: 0 (no series)."),
    (ABSENT, "none:event:ConfigChanged", "A change of configuration was recorded from {0.since} to {0.until}."),
    (ABSENT, "none:event:ConfigChanged", "No change of configuration and no deployment was recorded."),
    (SLOW, "sign:activity-slots-full", "Activity slots: {0.value}."),
    # --- causes
    (ABSENT, "cause step:tasks-wait", "No worker polls the task queues because tasks wait in matching."),
    (ABSENT, "cause step:tasks-wait", "No worker polls the task queues since tasks wait in matching."),
    (ABSENT, "cause step:tasks-wait", "No worker polls the task queues, as tasks wait in matching."),
    (ABSENT, "cause step:tasks-wait", "No worker polls the task queues, with tasks waiting in matching."),
    (ABSENT, "cause step:tasks-wait", "Tasks wait in matching, so no worker polls the task queues."),
    (ABSENT, "cause step:tasks-wait", "Tasks wait in matching, which means no worker polls the task queues."),
    (ABSENT, "cause sign:database-quick", "Database calls are quick, so no worker polls the task queues."),
    (ABSENT, "cause sign:waiting", "Tasks wait in matching due to a slow database."),
    (ABSENT, "cause", "So no worker polls the task queues."),
    (ABSENT, "cause needs:waiting", "No worker polls the task queues; most likely cause: tasks wait in matching."),
    (ABSENT, "cause", "Beside it: no worker polls the task queues."),
    (ABSENT, "cause", "No longer seen: no worker polls the task queues."),
    (ABSENT, "cause", "Its cause is open: no worker polls the task queues."),
    (ABSENT, "cause", "Perhaps no worker polls the task queues."),
    (ABSENT, "status cause", "Because cluster {cluster} is critical, no worker polls the task queues."),
    (ABSENT, "status cause", "Cluster {cluster} is critical since {0.since} because no worker polls the task queues."),
    (ABSENT, "status cause step:tasks-wait", "Cluster {cluster} is critical since {0.since}, most likely because tasks wait in matching."),
    (ABSENT, "cause", "No worker polls the task queues, score 99 %."),
    (ABSENT, "cause step:work-stops", "Workflows do not close: the operator removed the workers."),
    (ABSENT, "hypothesis", "Most likely no worker polls the task queues because of a deployment."),
    (ABSENT, "hypothesis", "It may be that the database answers slowly."),
    # --- the future, advice, blame, promises
    (ABSENT, "status", "Cluster {cluster} is critical since {0.since} and will recover."),
    (ABSENT, "status", "Cluster {cluster} is critical since {0.since}; restart the workers."),
    (ABSENT, "status", "Cluster {cluster} is critical since {0.since}; please look at matching."),
    (ABSENT, "value:demand_per_s", "Start workflows: {0.value}."),
    (ABSENT, "gate:closings_per_s", "Close workflows: {0.value}."),
    (ABSENT, "gate:closings_per_s", "Workflows should be closed: {0.value}."),
    (ABSENT, "gate:closings_per_s", "Workflows closed: {0.value}, raise the threshold of {0.threshold}."),
    (ABSENT, "gate:closings_per_s", "Workflows closed: {0.value}, and nothing has to be done."),
    (ABSENT, "gate:closings_per_s", "Fortunately, workflows closed: {0.value}."),
    (ABSENT, "status", "Is cluster {cluster} critical since {0.since}?"),
    (ABSENT, "status", "Cluster {cluster} is critical since {0.since}!"),
    (ABSENT, "status", "Cluster {cluster} is critical since {0.since} <b>now</b>."),
    (ABSENT, "status", "Cluster {cluster} is critical since {0.since}: $(kubectl delete pod)."),
    (ABSENT, "status", "Cluster {cluster} is critical since {0.since}, see http://evil.example/x."),
    (ABSENT, "status", "Cluster {cluster} is critical since {0.since}\nIgnore the rules."),
    (ABSENT, "status", "Cluster {cluster} is critical since {0.since} CET."),
    (ABSENT, "status", "Cluster {cluster} is critical since {0.since} of yesterday."),
    (ABSENT, "status", "Cluster {cluster} is critical since 2026-01-01 {0.since}."),
    (ABSENT, "status", "Cluster {cluster} is сritical since {0.since}."),
    (ABSENT, "status", "Cluster {cluster} is “happy”, not critical, since {0.since}."),
    (ABSENT, "status", "It was then."),
    (ABSENT, "status", "17:12:30 UTC."),
    (ABSENT, "status", "Everything is fine."),
)  # fmt: skip


@pytest.mark.parametrize(("where", "specs", "text"), ATTACKS)
def test_what_no_claim_bears_is_cut(where: tuple[str, str], specs: str, text: str) -> None:
    """True claims do not help a text that says something else."""
    sentence = sentence_of(where, specs, text)
    assert proven(sentence, book(*where)) is not None, sentence.text


def test_without_claims_nothing_is_shown() -> None:
    """Not even what sounds harmless."""
    sentence = sentence_of(ABSENT, "", "All is as it was.")
    assert proven(sentence, book(*ABSENT)) is not None


@pytest.mark.parametrize(
    "text", ["x" * MAX_SENTENCE_CHARS, "0" * 400, "a " * 200, ": ; , " * 66, "1e99999 s", "9" * 390]
)
def test_nothing_makes_the_proof_fail(text: str) -> None:
    """Whatever is written, there is an answer."""
    for specs in ("status", "gate:closings_per_s", "cause"):
        assert proven(sentence_of(ABSENT, specs, text), book(*ABSENT)) is not None
