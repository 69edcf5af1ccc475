"""The story of an explanation: what happened around one event, looked up in its book.

Theory of operation. Sentences are made of a story, and a story only looks things up; it judges
nothing. It knows the *moment* (the transition, the ranking or the end of an incident that is
explained), the stretches of status and of evidence before it, where the trouble began, and the
ranking of causes that counts.

    worse     a transition to a worse status
    better    a transition to a better one, short of happy
    over      a transition to happy: the end of an incident
    began     the first verdict on a cluster, a good one
    standing  a ranking of causes in between: the state as it is

Where a book's beginning is cut off, what came before has no answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Final

from copilot_core.errors import Rejected
from copilot_core.events import (
    CausesRanked,
    HealthTransitioned,
    RankedCause,
    SampleRecorded,
    Status,
    Verdict,
)
from copilot_core.health import rank
from copilot_core.words.book import Book, Fact, rankings
from copilot_core.words.stretches import Stretch, stretches

LOOK_BACK_S: Final = 30 * 60
"""What changed this long before the trouble is told: rollouts and restarts show within minutes."""


class Moment(StrEnum):
    """What kind of event is explained."""

    WORSE = "worse"
    BETTER = "better"
    OVER = "over"
    BEGAN = "began"
    STANDING = "standing"


@dataclass(frozen=True)
class Story:
    """What happened around the explained event."""

    book: Book

    @property
    def cluster(self) -> str:
        """The cluster it is about."""
        return self.book.cluster

    @property
    def at(self) -> int:
        """The slot of the explained event."""
        return self.book.slot

    @cached_property
    def moment(self) -> Moment:
        """What kind of event is explained; raises `Rejected` for one that nobody explains."""
        match self.book.explained.event:
            case CausesRanked():
                return Moment.STANDING
            case HealthTransitioned(from_=Status.UNKNOWN, to=Status.HAPPY):
                return Moment.BEGAN
            case HealthTransitioned(to=Status.HAPPY):
                return Moment.OVER
            case HealthTransitioned(from_=before, to=after):
                return Moment.WORSE if rank(after) > rank(before) else Moment.BETTER
            case other:
                raise Rejected(
                    f"nobody explains a {type(other).__name__}",
                    where=str(self.book.explains),
                    code="not_explained",
                    todo="name a HealthTransitioned or a CausesRanked event",
                )

    @cached_property
    def transition(self) -> HealthTransitioned | None:
        """The explained transition; None where a ranking is explained."""
        event = self.book.explained.event
        return event if isinstance(event, HealthTransitioned) else None

    @cached_property
    def sample(self) -> Fact[SampleRecorded] | None:
        """The last sample: the one that the explained event was decided with."""
        return self.book.sample_before(self.at)

    @cached_property
    def verdict(self) -> Verdict | None:
        """The verdict on the last sample."""
        return None if self.sample is None else self.sample.event.verdict

    # --- status -----------------------------------------------------------------------------------

    @cached_property
    def transitions(self) -> tuple[Fact[HealthTransitioned], ...]:
        """Every transition up to the explained event, oldest first."""
        return self.book.all(HealthTransitioned)

    @cached_property
    def statuses(self) -> tuple[Stretch, ...]:
        """The stretches of status that are known from their beginning, oldest first."""
        following = [*(fact.at for fact in self.transitions[1:]), None]
        return tuple(
            Stretch(fact.event.to.value, fact.at, until, fact.id)
            for fact, until in zip(self.transitions, following, strict=False)
        )

    @property
    def status_now(self) -> Stretch:
        """The stretch that lasts: from its transition on, or for as long as the book shows it."""
        return self.statuses[-1] if self.statuses else stretches(self.book, "status")[-1]

    @property
    def status(self) -> Status:
        """The status as it is now."""
        if self.transition is not None:
            return self.transition.to
        return self.verdict.status if self.verdict else Status.UNKNOWN

    @cached_property
    def began(self) -> Fact[HealthTransitioned] | None:
        """The transition that the incident began with; None outside of one, and where it is cut
        off."""
        facts = self.transitions
        if self.moment is Moment.OVER:
            facts = facts[:-1]
        found: Fact[HealthTransitioned] | None = None
        for fact in reversed(facts):
            if fact.event.to is Status.HAPPY:
                return found
            found = fact
            if fact.event.from_ in (Status.HAPPY, Status.UNKNOWN):
                return fact
        return None

    @cached_property
    def incident(self) -> tuple[Stretch, ...]:
        """The stretches of status since the incident began, without the happy one that ends it."""
        if self.began is None:
            return ()
        first = self.began.at
        return tuple(s for s in self.statuses if s.since >= first and s.state != Status.HAPPY)

    # --- evidence ---------------------------------------------------------------------------------

    @cached_property
    def evidences(self) -> tuple[Stretch, ...]:
        """The stretches of evidence in the book, oldest first; the first may have begun earlier.

        There is one at least: an event that is explained was decided with a sample.
        """
        return stretches(self.book, "evidence")

    # --- causes -----------------------------------------------------------------------------------

    @cached_property
    def ranking(self) -> Fact[CausesRanked] | None:
        """The ranking that counts: the one that holds, or else the last of the trouble that found a
        cause.

        Once the trouble is over its causes are no longer seen; they were the causes all the same.
        """
        known = rankings(self.book)
        if not known:
            return None
        holds, last = known[0], known[-1]
        same_trouble = holds.event.since in (0, last.event.since)
        return last if same_trouble else holds

    @property
    def causes(self) -> tuple[RankedCause, ...]:
        """The ranked causes, likeliest first."""
        return () if self.ranking is None else self.ranking.event.causes

    @property
    def trouble_since(self) -> int:
        """The slot in which the trouble began: what changed is looked for before it."""
        candidates = [self.at]
        if self.began is not None and self.moment is not Moment.BEGAN:
            candidates.append(self.began.at)
        if self.ranking is not None and self.ranking.event.since:
            candidates.append(self.ranking.event.since)
        return min(candidates)
