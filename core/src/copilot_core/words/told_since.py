"""What is said of since when: what it was before, when the trouble was first seen, what led there.

What led there is what the gates compared. Where no cause is found, the services that do not make
progress are named, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from copilot_core.events import GateFinding
from copilot_core.explanation import MAX_SENTENCES, Sentence
from copilot_core.rules import SERVICES
from copilot_core.words.book import Fact
from copilot_core.words.said import from_to, gate_compared, order, sentence, state_was, value_was
from copilot_core.words.story import Moment, Story
from copilot_core.words.stretches import stretches
from copilot_core.words.wording import duration, moment

_IMPAIRED: Final = frozenset({"degraded", "blocked"})
"""Progress of a service that lets nobody be happy."""


def since(story: Story) -> Iterator[Sentence]:
    """What it was before, when the trouble began, and what the gates compared."""
    before = story.statuses[-2] if len(story.statuses) > 1 else None
    if before is not None and story.moment is not Moment.STANDING:
        text = f"before that it was {before.state} {from_to(before, seen_from=story.at)}"
        yield sentence(state_was("status", before, text))
    yield from _first_sign(story, story.book.explained)
    if story.transition is None:
        return
    told = [
        gate_compared(gate, at=story.at, event=story.book.explains)
        for gate in telling(story.transition.gates)
    ]
    if story.moment is Moment.WORSE:
        yield from (sentence(gate) for gate in told)
        yield from _demand(story)
        if not story.causes:
            yield from _impaired_services(story)
    elif told:  # nothing is wrong: the gates of the event are those nearest to firing, that first
        yield sentence("nearest to its threshold, ", told[0])


def _demand(story: Story) -> Iterator[Sentence]:
    """What is asked of the cluster: most gates are about shares of it. What is merely assumed is
    told with the gate that it was assumed for."""
    asked = story.book.quantity("demand_per_s", story.at)
    if asked is None or asked.value is None or asked.assumed or story.sample is None:
        return
    yield sentence(
        value_was("demand_per_s", asked.value, "1/s", at=story.at, event=story.sample.id)
    )


def _impaired_services(story: Story) -> Iterator[Sentence]:
    """The services that do not make progress: where to look when no cause is found."""
    for service in SERVICES:
        now = stretches(story.book, f"service:{service}")[-1:]
        for stretch in now:
            if stretch.state in _IMPAIRED and stretch.until is None:
                since = from_to(stretch, seen_from=story.at)
                text = f"service {service} is {stretch.state} {since}"
                yield sentence(state_was(f"service:{service}", stretch, text))


def _first_sign(story: Story, then: Fact) -> Iterator[Sentence]:
    """The slot in which the trouble was first seen, where that was before the event `then`."""
    fact = story.book.sample(story.trouble_since)
    if fact is None or fact.at >= then.at or story.moment is Moment.BEGAN:
        return
    seconds = then.at - fact.at
    when = moment(fact.at, seen_from=story.at)
    text = f"the trouble was first seen at {when}, {duration(seconds)} earlier"
    yield sentence(order(fact.id, then.id, seconds, text))


def telling(gates: tuple[GateFinding, ...]) -> Iterator[GateFinding]:
    """Of gates that compare the same the hardest: the first, because tables begin with critical."""
    told: set[tuple[str, str]] = set()
    for gate in gates:
        if (gate.signal, gate.comparison) not in told:
            told.add((gate.signal, gate.comparison))
            yield gate


def course(story: Story) -> Iterator[Sentence]:
    """The stretches of the incident in order, then what made it begin."""
    if story.began is not None:
        yield from _first_sign(story, story.began)
    for stretch in story.incident[-MAX_SENTENCES // 2 :]:
        yield sentence(
            state_was(
                "status", stretch, f"it was {stretch.state} {from_to(stretch, seen_from=story.at)}"
            )
        )
    if story.began is not None:
        for gate in telling(story.began.event.gates):
            when = moment(story.began.at, seen_from=story.at)
            compared = gate_compared(gate, at=story.began.at, event=story.began.id)
            yield sentence(f"at {when}, ", compared)
