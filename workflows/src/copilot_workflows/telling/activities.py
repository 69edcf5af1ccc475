"""The activities of the course: what reads the log, asks the ledger and appends.

Each of them looks first whether what it would append is there; so each may be done again, by
another process, at any time. Two events end the course with what was said of them before, a
counter and a reason:

    no longer in the log      there is nothing to be told about
    recorded long ago         `COPILOT_MODEL_MAX_AGE_S`: no model is asked. The explainer tells it,
                              who comes by in order and searches little; a state, which is none of
                              the explainer's, is told here
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram
from temporalio import activity
from whenever import Instant

from copilot_core.budget import Refused
from copilot_core.errors import Rejected
from copilot_core.events import Explaining, ExplanationSource
from copilot_core.words.story import Story
from copilot_eventlog.direct import DirectWriter
from copilot_eventlog.explanation_log import append_once, find
from copilot_eventlog.protocol import EventLog
from copilot_workflows.agents.answers import Worded, refused, worded
from copilot_workflows.agents.evidence import request_of
from copilot_workflows.agents.prices import at_most, price_of
from copilot_workflows.agents.requests import CallWish, Reason, TextKind
from copilot_workflows.agents.settings import ModelSettings
from copilot_workflows.books import LogBooks, ReadBook
from copilot_workflows.ledger import Ledger, settlement
from copilot_workflows.names import workflow_id_of
from copilot_workflows.subjects import BY_MODEL, BY_RULES, EXPLAINED, Subject, told_by_rules
from copilot_workflows.telling.messages import (
    PERMIT_MODEL,
    TELL_BY_MODEL,
    TELL_BY_RULES,
    ByRules,
    Conclusion,
    Permit,
    Told,
)

GONE: Final = "unknown_event"

log_ = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Doors:
    """What the activities need: the log, its direct writer for explanations, books, the ledger.

    `now` is Unix seconds; the ledger's days are counted by it.
    """

    log: EventLog
    writer: DirectWriter
    books: LogBooks
    ledger: Ledger
    now: Callable[[], float] = time.time


class Telling:
    """The activities, bound to one process's connections."""

    def __init__(self, doors: Doors, settings: ModelSettings, registry: CollectorRegistry) -> None:
        self._doors = doors
        self._settings = settings
        self._metrics = _Metrics(registry)

    @activity.defn(name=TELL_BY_RULES)
    async def tell_by_rules(self, subject: Subject) -> ByRules:
        """See to it that revision 1 is in the log, whoever told it."""
        read = await self._read(subject)
        if read is None:
            return ByRules(told=self._gone(subject), ask=False)
        old = self._old(read)
        if not old or subject.kind is TextKind.STATE:
            await self._append(subject, read, told_by_rules(read.book, subject))
        if old:
            return ByRules(told=self._too_old(subject), ask=False)
        told = Told(revision=BY_RULES, source=ExplanationSource.RULES)
        if not self._settings.asks_a_model:
            self._metrics.told.labels(subject.kind, ExplanationSource.RULES, "").inc()
        return ByRules(told=told, ask=self._settings.asks_a_model)

    @activity.defn(name=PERMIT_MODEL)
    async def permit_model(self, subject: Subject) -> Permit:
        """Ask the ledger for a call; where it refuses, the words of the rules become revision 2."""
        read = await self._read(subject)
        if read is None:
            return Permit(told=self._gone(subject))
        if known := await self._known(subject, read):
            return Permit(told=known)
        if self._old(read):  # agents or server were away since revision 1 was told
            return Permit(told=self._too_old(subject))
        rules = told_by_rules(read.book, subject)
        decision = await self._doors.ledger.reserve(self._wish(subject, read, rules))
        if isinstance(decision, Refused):
            stands = refused(rules.explanation, decision)
            return Permit(told=await self._conclude(subject, read, rules, stands))
        return Permit(
            request=request_of(
                read.book, rules.explanation, kind=subject.kind, settings=self._settings
            ),
            reserved=decision.call,
        )

    @activity.defn(name=TELL_BY_MODEL)
    async def tell_by_model(self, conclusion: Conclusion) -> Told:
        """Settle the ledger, prove the answer, and put what is left of it into the log."""
        subject, reserved, composed = conclusion.subject, conclusion.reserved, conclusion.composed
        settled = settlement(reserved, composed, at=self._now(), prices=self._settings.model_prices)
        await self._doors.ledger.settle(subject.cluster, settled, reserved_at=reserved.at)
        read = await self._read(subject)
        if read is None:
            return self._gone(subject)
        rules = told_by_rules(read.book, subject)
        shown = worded(composed, book=read.book, rules=rules.explanation)
        return await self._conclude(subject, read, rules, shown)

    async def _conclude(
        self, subject: Subject, read: ReadBook, rules: Explaining, shown: Worded
    ) -> Told:
        """Append revision 2; what was appended first counts."""
        event = rules.model_copy(
            update={
                "revision": BY_MODEL,
                "source": shown.source,
                "model": shown.model,
                "prompt_version": shown.prompt_version,
                "explanation": shown.explanation,
                "cut": shown.cut,
                "stands_because": shown.stands_because,
            }
        )
        await self._append(subject, read, event)
        reason = shown.reason.value if shown.reason else ""
        self._metrics.told.labels(subject.kind, shown.source, reason).inc()
        self._metrics.cut.inc(len(shown.cut))
        waited = Instant.now() - read.explained.recorded_at
        self._metrics.waited.labels(subject.kind).observe(waited.total("seconds"))
        return Told(revision=BY_MODEL, source=shown.source, reason=shown.reason)

    async def _known(self, subject: Subject, read: ReadBook) -> Told | None:
        """What revision 2 says, if it was told before."""
        key = (EXPLAINED[subject.kind].__name__, subject.explains, BY_MODEL)
        found = await find(self._doors.log, subject.cluster, key, since=read.explained.recorded_at)
        if found is None:
            return None
        event = found.decoded()
        assert isinstance(event, Explaining)
        return Told(revision=BY_MODEL, source=event.source)

    def _wish(self, subject: Subject, read: ReadBook, rules: Explaining) -> CallWish:
        limits, settings = self._settings.call_limits, self._settings
        prices = [
            price_of(name, settings.model_prices)
            for name in (settings.dispatcher_model, settings.researcher_model)
        ]
        return CallWish(
            cluster=subject.cluster,
            call=workflow_id_of(subject),
            at=self._now(),
            incident=Story(read.book).trouble_since,
            signature=rules.signature,
            model=settings.researcher_model,
            requests=limits.requests,
            tokens=limits.tokens,
            cost_micro_usd=at_most(limits, *prices),
        )

    async def _read(self, subject: Subject) -> ReadBook | None:
        """The book of a subject; None when its event is no longer in the log."""
        try:
            return await self._doors.books.read(subject.cluster, subject.explains, at=subject.at)
        except Rejected as e:
            if e.code != GONE:
                raise
            log_.warning("event is gone", explains=str(subject.explains), what=e.what)
            return None

    def _gone(self, subject: Subject) -> Told:
        self._metrics.told.labels(subject.kind, "none", Reason.EVENT_GONE).inc()
        return Told(revision=0, reason=Reason.EVENT_GONE)

    def _old(self, read: ReadBook) -> bool:
        recorded_at = read.explained.recorded_at.timestamp()
        return self._now() - recorded_at > self._settings.model_max_age_s

    def _too_old(self, subject: Subject) -> Told:
        reason = Reason.TOO_OLD if self._settings.asks_a_model else None
        self._metrics.told.labels(subject.kind, ExplanationSource.RULES, reason or "").inc()
        return Told(revision=BY_RULES, source=ExplanationSource.RULES, reason=reason)

    async def _append(self, subject: Subject, read: ReadBook, event: Explaining) -> None:
        since = read.explained.recorded_at
        await append_once(self._doors.log, self._doors.writer, subject.cluster, event, since=since)

    def _now(self) -> int:
        return int(self._doors.now())


class _Metrics:
    """What the activities tell about themselves."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.told = Counter(
            "copilot_agents_told_total",
            "Texts that ended, by who worded them and why no model did",
            ["kind", "source", "reason"],
            registry=registry,
        )
        self.cut = Counter(
            "copilot_agents_cut_sentences_total",
            "Sentences of models that the log did not back",
            registry=registry,
        )
        self.waited = Histogram(
            "copilot_agents_seconds",
            "From an event in the log to its last revision in the log, by both clocks",
            ["kind"],
            buckets=(0.5, 1, 2.5, 5, 10, 15, 20, 30, 60, 600, 3600),
            registry=registry,
        )
