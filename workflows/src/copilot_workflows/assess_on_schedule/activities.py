"""Which rankings of unhappy clusters rest on evidence that nobody has put into words yet.

A ranking is recorded with each transition, which is explained anyway, and in between whenever the
order or the set of causes changes: those are what is looked for here. The signature says whether
the evidence is new; so a state that stays as it is costs a few reads and no words.

Where there are more clusters than one round takes, rounds take turns: each begins where the one
before it ended. A cluster that cannot be looked at is counted and costs itself alone.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, Counter
from temporalio import activity

from copilot_core.errors import CopilotError, Unavailable
from copilot_core.events import CausesRanked
from copilot_core.values import Status
from copilot_core.words.book import MAX_FACTS
from copilot_core.words.story import Story
from copilot_eventlog.explanation_log import ExplanationStream
from copilot_eventlog.protocol import EventLog
from copilot_workflows.agents.requests import TextKind
from copilot_workflows.assess_on_schedule.messages import (
    FIND_NEW_EVIDENCE,
    AssessRound,
    NewEvidence,
)
from copilot_workflows.books import LogBooks
from copilot_workflows.subjects import Subject, told_by_rules

Clusters = Callable[[], Awaitable[list[str]]]
"""The clusters that are not happy."""

LOOK_BACK: Final = MAX_FACTS["health"]
"""Events among which the last ranking is looked for: an older one has been worded long ago."""

log_ = structlog.get_logger(__name__)


class Assessing:
    """The activity, bound to one process's connections."""

    def __init__(
        self, log: EventLog, books: LogBooks, unhappy: Clusters, *, registry: CollectorRegistry
    ) -> None:
        self._log = log
        self._books = books
        self._unhappy = unhappy
        self._failures = Counter(
            "copilot_agents_assess_failures_total",
            "Unhappy clusters that a round could not look at, by kind of error",
            ["error"],
            registry=registry,
        )

    @activity.defn(name=FIND_NEW_EVIDENCE)
    async def find_new_evidence(self, asked: AssessRound) -> NewEvidence:
        """The rankings that are worth words, one per cluster at the most."""
        number = int(activity.info().scheduled_time.timestamp()) // asked.every_s
        turn = turn_of(sorted(await self._unhappy()), number, at_most=asked.max_clusters)
        found = [await self._looked_at(cluster) for cluster in turn]
        return NewEvidence(subjects=tuple(subject for subject in found if subject))

    async def _looked_at(self, cluster: str) -> Subject | None:
        """As `_new`, None where it fails for a reason of this cluster alone."""
        try:
            return await self._new(cluster)
        except Unavailable:
            raise
        except CopilotError as e:
            log_.warning("not assessed", cluster=cluster, what=str(e))
            self._failures.labels(type(e).__name__).inc()
        except Exception:
            log_.exception("not assessed", cluster=cluster)
            self._failures.labels("unexpected").inc()
        return None

    async def _new(self, cluster: str) -> Subject | None:
        """The last ranking of a cluster, None where there is nothing new to be said of it."""
        newest = await self._log.read_stream(
            f"{CausesRanked.stream_kind}/{cluster}", limit=LOOK_BACK, newest_first=True
        )
        ranked = next((e for e in newest if e.type == CausesRanked.__name__), None)
        if ranked is None:
            return None
        event = ranked.decoded()
        assert isinstance(event, CausesRanked)
        if event.status is Status.HAPPY or not event.causes:
            return None
        subject = Subject(
            cluster=cluster, explains=ranked.event_id, at=event.slot, kind=TextKind.STATE
        )
        read = await self._books.read(cluster, subject.explains, at=subject.at)
        began = Story(read.book).trouble_since
        first = next((e for e in reversed(newest) if e.occurred_at.timestamp() >= began), ranked)
        told = ExplanationStream(self._log, cluster)
        await told.look(since=first.recorded_at)
        return None if told.rests_on(told_by_rules(read.book, subject).signature) else subject


def turn_of(clusters: Sequence[str], number: int, *, at_most: int) -> list[str]:
    """The clusters of the round with a number: one turn goes on where the last one ended."""
    if len(clusters) <= at_most:
        return list(clusters)
    first = number * at_most % len(clusters)
    return [*clusters[first:], *clusters[:first]][:at_most]
