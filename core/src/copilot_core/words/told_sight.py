"""What is said of sight: the signals that could not be read, and the stretches of poor evidence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from copilot_core.events import LogSampleRecorded
from copilot_core.explanation import MAX_SENTENCES, AbsenceClaim, Sentence
from copilot_core.readings import Missing
from copilot_core.signals import PULSE_OF
from copilot_core.values import Evidence
from copilot_core.words.phrases import phrase
from copilot_core.words.said import Piece, from_to, sentence, state_was
from copilot_core.words.story import Story
from copilot_core.words.wording import moment

_UNREAD_SHOWN: Final = 5
"""Signals named one by one for each reason; the sample has them all."""
_ALL_LOGS: Final = "log:*/*"
"""The logs of all services, with whatever stands in them."""


def not_seen(story: Story) -> tuple[Sentence, ...]:
    """What could not be seen now, by reason, and the stretches in which sight was less than
    full."""
    said = (*_unread_now(story), *_unread_logs(story), *_poor_sight(story))
    return tuple(said[:MAX_SENTENCES])


def _unread_now(story: Story) -> Iterator[Sentence]:
    if story.sample is None or story.verdict is None:
        return
    at, event = story.sample.at, story.sample.id
    by_reason: dict[Missing, list[str]] = {}
    for name in story.verdict.missing:
        value = story.book.reading(name, at)
        if isinstance(value, Missing):
            by_reason.setdefault(value, []).append(name)
    for reason, names in sorted(by_reason.items()):
        ordered = sorted(names, key=lambda n: (n not in PULSE_OF.values(), n))
        shown = ordered[:_UNREAD_SHOWN]
        claims = tuple(
            AbsenceClaim(signal=n, reason=reason.value, at=at, events=(event,)) for n in shown
        )
        rest = " and others" if len(ordered) > len(shown) else ""
        listed = ", ".join(phrase(n) for n in shown)
        yield sentence(Piece(f"not seen ({reason.value}): {listed}{rest}", claims))


def _unread_logs(story: Story) -> Iterator[Sentence]:
    """That the last log sample could not be read: causes that only logs show stay hidden."""
    fact = story.book.last(LogSampleRecorded)
    if fact is not None and fact.event.missing is not None:
        absent = AbsenceClaim(
            signal=_ALL_LOGS, reason=fact.event.missing.value, at=fact.at, events=(fact.id,)
        )
        when = moment(fact.at, seen_from=story.at)
        text = f"not seen ({fact.event.missing.value}): the logs, at {when}"
        yield sentence(Piece(text, (absent,)))


def _poor_sight(story: Story) -> Iterator[Sentence]:
    for stretch in story.evidences:
        over = stretch.until is not None and stretch.until >= story.trouble_since
        if over and stretch.state != Evidence.FRESH:
            yield sentence(
                state_was(
                    "evidence",
                    stretch,
                    f"evidence was {stretch.state} {from_to(stretch, seen_from=story.at)}",
                )
            )
