"""The deterministic explainer: what rules decided, in words that the log proves.

Theory of operation. One function per part of an `Explanation`, each a list of short sentences made
of the story's facts, every sentence with the claims that show it (`copilot_core.proving.proof`
accepts all of them: a property test over every recording). Words come from the tables (causes,
signs, mechanisms, phrases) and figures from the log; no adjective stands without a number. Pure:
the same book gives the same bytes.

    headline               what is the matter             `_headline`
    since                  since when, what led there     `copilot_core.words.told_since`
    certainty              how sure, and why              `_certainty`
    causes, path           likeliest first                `copilot_core.words.told_causes`
    changed_before         half an hour and on            `copilot_core.words.told_changes`
    not_seen               what sight was lacking         `copilot_core.words.told_sight`
    next_step              what is safe to do             `copilot_core.words.next_steps`

`explain` is about a transition or a ranking of causes, `review` about a whole incident that has
ended. `signature` names the evidence that an explanation rests on, without the numbers that wobble:
as long as it stays the same, nobody has anything new to say.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Final
from uuid import UUID

import orjson

from copilot_core.errors import Defect
from copilot_core.events import ConfigChanged
from copilot_core.explanation import MAX_SENTENCES, Explanation, Sentence
from copilot_core.values import Evidence, Status
from copilot_core.words.book import Book
from copilot_core.words.next_steps import next_step
from copilot_core.words.phrases import SIGHT
from copilot_core.words.said import (
    Piece,
    cause_named,
    from_to,
    gate_compared,
    order,
    sentence,
    state_was,
)
from copilot_core.words.story import Moment, Story
from copilot_core.words.stretches import stretches
from copilot_core.words.told_causes import cannot_be_told, causes_told, path_told
from copilot_core.words.told_changes import changed_before
from copilot_core.words.told_sight import not_seen
from copilot_core.words.told_since import course, since, telling
from copilot_core.words.wording import clock, duration, moment

_HEADLINE_CAUSES: Final = 2
"""Causes named in the headline; more cannot be taken in at once."""


def explain(book: Book, explains: UUID) -> Explanation:
    """The words for one transition, or for one ranking of causes.

    `book` is that of the event. Raises `Rejected` (code `not_explained`) for an event of another
    type.
    """
    story = _story(book, explains)
    return _told(story, headline=_headline(story), since=since(story))


def review(book: Book, explains: UUID) -> Explanation:
    """The words for an incident that has ended; `explains` is the transition that ended it."""
    story = _story(book, explains)
    return _told(story, headline=_review_headline(story), since=course(story))


def signature(book: Book, explains: UUID) -> str:
    """SHA-256 of the evidence: what is the matter, by which gates, for which causes and signs."""
    story = _story(book, explains)
    ranking = story.ranking.event if story.ranking else None
    fired = story.verdict.fired if story.verdict else ()
    config = book.last(ConfigChanged)
    evidence = [
        book.cluster,
        story.trouble_since,
        story.status,
        sorted(fired),
        [
            [c.component, c.kind, c.now, sorted(s.id for s in (*c.evidence, *c.against))]
            for c in (ranking.causes if ranking else ())
        ],
        [[t.component, t.kind, t.signal] for t in (ranking.cannot_tell if ranking else ())],
        config.event.fingerprint if config else None,
    ]
    return hashlib.sha256(orjson.dumps(evidence)).hexdigest()


def _story(book: Book, explains: UUID) -> Story:
    if book.explains != explains:
        raise Defect(
            f"the book of {book.explains} asked about {explains}",
            todo="make the book of the event that is to be explained",
        )
    return Story(book)


def _told(story: Story, *, headline: Sentence, since: Iterator[Sentence]) -> Explanation:
    return Explanation(
        headline=headline,
        since=tuple(since)[:MAX_SENTENCES],
        certainty=tuple(_certainty(story))[:MAX_SENTENCES],
        causes=causes_told(story),
        path=path_told(story),
        changed_before=changed_before(story),
        not_seen=not_seen(story),
        next_step=next_step(story),
    )


# --- headline -----------------------------------------------------------------------------------


def _headline(story: Story) -> Sentence:
    if story.evidences[-1].state == Evidence.BLIND:
        return sentence(*_nothing_seen(story), *_most_likely(story))
    match story.moment:
        case Moment.STANDING if story.status is Status.HAPPY:
            return sentence(_status_now(story), *_beside(story))
        case Moment.WORSE | Moment.STANDING:
            return sentence(_status_now(story), *_most_likely(story))
        case Moment.BEGAN:
            return sentence(_status_now(story), ", as first seen" if story.book.whole else "")
        case Moment.BETTER:
            return sentence(_status_now(story), *_after(story), *_most_likely(story))
        case Moment.OVER:
            again = any(s.state == Status.HAPPY for s in stretches(story.book, "status")[:-1])
            return sentence(_status_now(story, again=again), *_after(story), *_most_likely(story))


def _status_now(story: Story, *, again: bool = False) -> Piece:
    """`Cluster orders is critical since 03:07:30 UTC`."""
    state = story.status_now
    since = from_to(state, seen_from=story.at)
    text = f"cluster {story.cluster} is {state.state}{' again' if again else ''} {since}"
    return state_was("status", state, text)


def _nothing_seen(story: Story) -> Iterator[Piece]:
    """`Nothing of cluster orders is seen since 03:07:30 UTC, its status is held at happy`."""
    sight, state = story.evidences[-1], story.status_now
    since = from_to(sight, seen_from=story.at)
    yield state_was("evidence", sight, f"cluster {story.cluster} is seen blind {since}")
    yield state_was("status", state, f", and its status is held at {state.state}")


def _beside(story: Story) -> Iterator[str | Piece]:
    """What is found although users notice nothing."""
    if story.ranking is None or not story.causes:
        return
    yield ", but " if story.causes[0].now else "; no longer seen: "
    yield cause_named(story.causes[0], event=story.ranking.id)


def _after(story: Story) -> Iterator[Piece]:
    """How long what went before lasted."""
    if story.moment is Moment.BETTER and len(story.statuses) > 1:
        before = story.statuses[-2]
        long = duration(before.until - before.since) if before.until else ""
        yield state_was("status", before, f", after {long} of {before.state}")
    elif story.moment is Moment.OVER and story.began is not None:
        seconds = story.at - story.began.at
        yield order(story.began.id, story.book.explains, seconds, f", after {duration(seconds)}")


def _most_likely(story: Story) -> Iterator[str | Piece]:
    """The likeliest causes in a few words, or that there is none."""
    if story.ranking is None or not story.causes:
        yield "; its cause is open"
        return
    first, *others = story.causes[:_HEADLINE_CAUSES]
    yield "; most likely cause: " if first.now else "; most likely cause was: "
    yield cause_named(first, event=story.ranking.id)
    for other in others:
        if other.now is first.now:
            yield "; beside it: "
            yield cause_named(other, event=story.ranking.id)


# --- how sure -----------------------------------------------------------------------------------


def _certainty(story: Story) -> Iterator[Sentence]:
    """How much is seen, what is assumed, and what cannot be told."""
    now = story.evidences[-1]
    since = from_to(now, seen_from=story.at)
    text = f"evidence is {now.state} {since}: {SIGHT[now.state]}"
    yield sentence(state_was("evidence", now, text))
    if story.transition is not None:
        for gate in telling(story.transition.gates):
            if gate.assumed:
                yield sentence(
                    gate_compared(gate, at=story.at, event=story.book.explains),
                    "; this stands on an assumption, the mean of earlier slots",
                )
    yield from cannot_be_told(story)


# --- the review of an incident ------------------------------------------------------------------


def _review_headline(story: Story) -> Sentence:
    """What happened, for how long, and why."""
    if story.began is None:
        return _headline(story)
    seconds = story.at - story.began.at
    lasted = order(
        story.began.id,
        story.book.explains,
        seconds,
        f"the incident of cluster {story.cluster} from "
        f"{moment(story.began.at, seen_from=story.at)} to {clock(story.at)} "
        f"lasted {duration(seconds)}",
    )
    return sentence(lasted, *_most_likely(story))
