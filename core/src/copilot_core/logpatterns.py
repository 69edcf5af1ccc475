"""The log pattern table: which log lines are counted, and what they tell.

Theory of operation. Logs explain, they never decide. A line is matched as it was written, whole, by
regular expressions that mean the same to Loki (RE2) and to Python: no look-around, no
back-references, case ignored. A line may match several patterns. What leaves this table is a count
per service and pattern; the text of a line is only ever shown to people.

To add a pattern, add a row. Ids are stored in the log of events: never reuse one.

The texts are those of the Temporal server 1.32.1 (JSON and console lines), of PostgreSQL and Aurora
DSQL as the server repeats them, and of the DSQL persistence plugin.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class LogPattern:
    """One row: an id, the expression that a line must contain, and its meaning to a reader."""

    id: str
    regex: str
    meaning: str


LOG_PATTERNS: Final[tuple[LogPattern, ...]] = (
    # --- time ran out ---------------------------------------------------------------------------
    LogPattern("deadline_exceeded", r"deadline[ _]?exceeded",
        "a call was not answered in time: something below it is slow or gone"),
    LogPattern("context_canceled", r"context cancell?ed",
        "the caller gave up or was stopped while a call was under way"),
    # --- who owns which shard -------------------------------------------------------------------
    LogPattern("shard_ownership_lost", r"shard ?ownership ?lost|shard is owned by",
        "a history process worked on a shard that another one owns by now"),
    LogPattern("shard_status_unknown", r"shard status unknown",
        "a history process cannot tell whether it owns a shard: its database does not answer"),
    LogPattern("shard_acquired", r"acquired shard",
        "a shard was taken over, or its lease renewed after database trouble"),
    LogPattern("shard_not_acquired", r"error acquiring shard|couldn't acquire shard",
        "a shard could not be taken over: its workflows stand still"),
    LogPattern("shard_released",
        r'"Stopped".{0,200}"shard-context"|"shard-context".{0,200}"Stopped"|shard closed',
        "a history process gave a shard up"),
    # --- who is in the ring ---------------------------------------------------------------------
    LogPattern("member_joined",
        r'RingMembershipChangedEvent.{0,60}"number-processed":[1-9]|member joined',
        "a process joined the membership ring"),
    LogPattern("member_left",
        r'RingMembershipChangedEvent.{0,100}"number-deleted":[1-9]|member left',
        "a process left the membership ring"),
    LogPattern("not_enough_hosts", r"not enough hosts to serve",
        "a whole role is missing from the membership ring"),
    # --- nobody takes the work ------------------------------------------------------------------
    LogPattern("no_poller", r"no poller",
        "a task queue that nobody polls: workers absent, or polling elsewhere"),
    # --- the database ---------------------------------------------------------------------------
    LogPattern("serialization_failure",
        r"SQLSTATE:? ?\(?40001|could not serialize access|serialization failure|\bOC00[01]\b",
        "optimistic concurrency: a transaction lost and was or will be tried again"),
    LogPattern("reservoir_discard", r"reservoir.{0,60}discard|discard.{0,60}reservoir",
        "the DSQL plugin threw connections of its reservoir away"),
    LogPattern("pool_exhausted",
        r"remaining connection slots|too many (clients|connections)"
        r"|pool (is )?exhausted|reservoir (is )?empty",
        "no free database connection"),
    LogPattern("connection_refused", r"connection refused",
        "nobody listens where a connection was tried"),
    LogPattern("database_unusable", r"no usable database connection|sql: database is closed",
        "the server has given its database connections up and waits before it tries again"),
    # --- limits ---------------------------------------------------------------------------------
    LogPattern("rate_limited", r"rate limit(ed)? exceeded|rate exceeded",
        "calls or connections were turned away at a limit"),
)  # fmt: skip

PATTERNS_BY_ID: Final[Mapping[str, LogPattern]] = MappingProxyType({p.id: p for p in LOG_PATTERNS})

_COMPILED: Final = tuple((p.id, re.compile(p.regex, re.IGNORECASE)) for p in LOG_PATTERNS)


def line_filter(pattern: LogPattern) -> str:
    """The LogQL line filter for a pattern, in a raw string: nothing in it needs escaping."""
    return f"|~ `(?i){pattern.regex}`"


def matches(line: str) -> Iterator[str]:
    """The ids of the patterns that a line contains, in table order."""
    for pattern_id, regex in _COMPILED:
        if regex.search(line):
            yield pattern_id
