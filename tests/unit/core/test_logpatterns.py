"""The log pattern table finds the lines of a real server, in expressions that RE2 reads too."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import pytest

from copilot_core.logpatterns import LOG_PATTERNS, LogPattern, line_filter, matches

INCIDENT = Path(__file__).parents[2] / "data/logs/o1-workers-stopped.jsonl.gz"

LINES = {
    "deadline_exceeded": '{"level":"error","error":"context deadline exceeded"}',
    "context_canceled": '{"level":"warn","error":"context canceled"}',
    "shard_ownership_lost": '{"error":"Shard is owned by:10.0.0.1:7234 but not by 10.0.0.2:7234"}',
    "shard_status_unknown": '{"msg":"Fail to process task","error":"shard status unknown"}',
    "shard_acquired": '{"level":"info","msg":"Acquired shard","shard-id":3}',
    "shard_not_acquired": '{"level":"error","msg":"Error acquiring shard","shard-id":11}',
    "shard_released": '{"msg":"","shard-id":3,"lifecycle":"Stopped","component":"shard-context"}',
    "member_joined": '{"shard-update":"RingMembershipChangedEvent","number-processed":2,'
    '"number-deleted":0}',
    "member_left": '{"shard-update":"RingMembershipChangedEvent","number-processed":0,'
    '"number-deleted":1}',
    "not_enough_hosts": '{"error":"Not enough hosts to serve the request"}',
    "no_poller": '{"error":"no poller seen for task queue recently, worker may be down"}',
    "serialization_failure": "ERROR: could not serialize access (SQLSTATE 40001)",
    "reservoir_discard": '{"msg":"DSQL reservoir: connection discarded","reason":"expired"}',
    "pool_exhausted": "FATAL: remaining connection slots are reserved for roles with SUPERUSER",
    "connection_refused": "dial tcp 127.0.0.1:5432: connect: connection refused",
    "database_unusable": "GetWorkflowExecution: failed. Error: no usable database connection found",
    "rate_limited": '{"error":"namespace rate limit exceeded"}',
}


@pytest.mark.parametrize("pattern", LOG_PATTERNS, ids=lambda p: p.id)
def test_each_pattern_finds_its_line(pattern: LogPattern) -> None:
    """A line of each kind is found by its pattern, and by no other."""
    assert list(matches(LINES[pattern.id])) == [pattern.id]


def test_a_line_of_several_patterns_is_counted_for_each() -> None:
    """Patterns overlap: a timeout of a refused connection is both."""
    line = "context deadline exceeded: dial tcp: connection refused"
    assert list(matches(line)) == ["deadline_exceeded", "connection_refused"]


def test_an_ordinary_line_matches_nothing() -> None:
    """A healthy worker's line is no pattern."""
    line = '{"level":"warn","msg":"Completing activity as failed","error":"CardDeclined"}'
    assert list(matches(line)) == []


def test_a_ring_event_without_change_of_members_is_neither_joined_nor_left() -> None:
    """Numbers of zero are no change."""
    line = '{"shard-update":"RingMembershipChangedEvent","number-processed":0,"number-deleted":0}'
    assert list(matches(line)) == []


@pytest.mark.parametrize("pattern", LOG_PATTERNS, ids=lambda p: p.id)
def test_expressions_mean_the_same_to_re2(pattern: LogPattern) -> None:
    """No look-around, back-references, possessive or atomic groups, and no back-quote that would
    end LogQL's raw string."""
    regex = pattern.regex
    assert not re.search(r"\(\?[=!<>#P]|\\[1-9ZGK]|[*+?}]\+|`", regex)
    assert line_filter(pattern) == f"|~ `(?i){regex}`"


def test_an_incident_is_told_by_its_counts() -> None:
    """The log of a real cluster whose workers were stopped shows calls that ran out of time."""
    found: dict[str, int] = {}
    with gzip.open(INCIDENT, "rt") as lines:
        for line in lines:
            json.loads(line)
            for pattern_id in matches(line):
                found[pattern_id] = found.get(pattern_id, 0) + 1
    assert found == {
        "deadline_exceeded": 258, "context_canceled": 115, "shard_status_unknown": 18,
        "shard_acquired": 2,
    }  # fmt: skip
