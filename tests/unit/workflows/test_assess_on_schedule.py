"""Rounds over unhappy clusters: each has its turn, and one that fails costs itself alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from temporalio.testing import ActivityEnvironment
from whenever import Instant

from copilot_core.errors import Rejected, Unavailable
from copilot_core.events import RecordedEvent
from copilot_eventlog.memory import MemoryLog
from copilot_workflows.assess_on_schedule.activities import Assessing, turn_of
from copilot_workflows.assess_on_schedule.messages import AssessRound
from copilot_workflows.books import LogBooks
from copilot_workflows.policies import a_round

EVERY_S = 300


@given(st.integers(1, 60), st.integers(1, 20), st.integers(0, 10_000_000))
def test_every_cluster_has_its_turn(clusters: int, at_most: int, first: int) -> None:
    """As many rounds in a row as are needed at the least look at every cluster."""
    names = [f"c{n:02}" for n in range(clusters)]
    turns = [
        turn_of(names, number, at_most=at_most)
        for number in range(first, first - (-clusters // at_most))
    ]
    assert {name for turn in turns for name in turn} == set(names)
    assert all(len(turn) == len(set(turn)) == min(clusters, at_most) for turn in turns)


@pytest.mark.parametrize("every_s", [60, 300, 86_400])
def test_a_round_ends_before_the_next(every_s: int) -> None:
    """The schedule leaves out a round while one runs: none is tried beyond its interval, and each
    has time for a second try."""
    config = a_round(every_s)
    whole, once = config.get("schedule_to_close_timeout"), config.get("start_to_close_timeout")
    assert whole is not None
    assert once is not None
    assert whole.total_seconds() < every_s
    assert 2 * once < whole


class Asked(MemoryLog):
    """A log that notes which clusters were asked for, and has trouble with one of them."""

    def __init__(self, trouble: Exception | None = None) -> None:
        super().__init__()
        self.clusters: list[str] = []
        self._trouble = trouble

    async def read_stream(
        self, stream: str, *, after: int = 0, limit: int = 1000, newest_first: bool = False
    ) -> list[RecordedEvent]:
        self.clusters.append(stream.partition("/")[2])
        if self._trouble and stream.endswith("/b"):
            raise self._trouble
        return await super().read_stream(
            stream, after=after, limit=limit, newest_first=newest_first
        )


async def looked_at(log: Asked, registry: CollectorRegistry, *, number: int = 0) -> list[str]:
    """The clusters that the round with a number looks at, of `a` to `e`, two at a time."""

    async def unhappy() -> list[str]:
        return ["c", "a", "b", "e", "d"]

    environment = ActivityEnvironment()
    at = Instant.from_timestamp(number * EVERY_S + 1).to_stdlib()
    environment.info = replace(environment.info, scheduled_time=at)
    assessing = Assessing(log, LogBooks(log), unhappy, registry=registry)
    asked = AssessRound(max_clusters=2, every_s=EVERY_S)
    await environment.run(assessing.find_new_evidence, asked)
    return log.clusters


async def test_rounds_take_turns() -> None:
    """A round begins where the one before it ended; a retry looks at the same clusters."""
    turns = [await looked_at(Asked(), CollectorRegistry(), number=n) for n in (0, 0, 1, 2)]
    assert turns == [["a", "b"], ["a", "b"], ["c", "d"], ["e", "a"]]


@pytest.mark.parametrize(
    ("trouble", "error"), [(Rejected("no"), "Rejected"), (KeyError("x"), "unexpected")]
)
async def test_a_cluster_that_fails_costs_itself_alone(trouble: Exception, error: str) -> None:
    """It is counted, and the others are looked at."""
    registry = CollectorRegistry()
    assert await looked_at(Asked(trouble), registry) == ["a", "b"]
    labels = {"error": error}
    assert registry.get_sample_value("copilot_agents_assess_failures_total", labels) == 1


async def test_a_log_that_is_away_ends_the_round() -> None:
    """That is no cluster's fault: the round is tried again."""
    with pytest.raises(Unavailable):
        await looked_at(Asked(Unavailable("away")), CollectorRegistry())
