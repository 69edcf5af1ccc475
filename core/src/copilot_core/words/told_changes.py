"""What is said of changes before the trouble.

They are looked for from half an hour before the trouble began: configurations, deployments, how
many processes of each role report, and lines about the membership ring. That nothing was recorded
is said, too, as a count of nothing. What somebody else wrote (an author, a reason, a value that is
text, a name of a process) is not repeated.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Final
from uuid import UUID

from copilot_core.errors import Defect
from copilot_core.events import (
    ConfigChange,
    ConfigChanged,
    DeploymentRecorded,
    LogSampleRecorded,
)
from copilot_core.explanation import MAX_SENTENCES, Sentence
from copilot_core.logpatterns import PATTERNS_BY_ID
from copilot_core.readings import Missing, Reading
from copilot_core.signals import BY_NAME, PULSE_OF, Role
from copilot_core.values import Scalar
from copilot_core.words.book import Fact
from copilot_core.words.phrases import phrase
from copilot_core.words.said import (
    Piece,
    changed,
    counted,
    order,
    sentence,
    unread,
    value_was,
)
from copilot_core.words.story import LOOK_BACK_S, Story
from copilot_core.words.wording import clock, duration, moment, number

_MEMBERSHIP: Final = ("member_left", "member_joined", "not_enough_hosts", "shard_acquired")
"""Log patterns that tell of processes that come and go."""
_SERVERS: Final = frozenset({"frontend", "internal-frontend", "history", "matching", "worker"})
"""Processes that write of the ring; any other name in the logs is somebody else's choice."""
_PARAMETERS_SHOWN: Final = 3
_PROCESS_CHANGES_SHOWN: Final = 4
_ROLES: Final = (Role.FRONTEND, Role.HISTORY, Role.MATCHING, Role.WORKERS)


def changed_before(story: Story) -> tuple[Sentence, ...]:
    """What changed from half an hour before the trouble on."""
    recorded = [*_configurations(story), *_deployments(story)]
    said = recorded or [_nothing_recorded(story)]
    said += [*_processes(story), *_membership(story)]
    return tuple(said[:MAX_SENTENCES])


def _looked_from(story: Story) -> int:
    return story.trouble_since - LOOK_BACK_S


def _before(story: Story, fact: Fact) -> Piece:
    """When something was, beside the explained event."""
    seconds = story.at - fact.at
    text = f"{duration(seconds)} before, at {moment(fact.at, seen_from=story.at)}"
    return order(fact.id, story.book.explains, seconds, text)


def _configurations(story: Story) -> Iterator[Sentence]:
    for fact in story.book.all(ConfigChanged):
        if not _looked_from(story) <= fact.at <= story.at:
            continue
        first = fact.event.previous_fingerprint is None
        told = () if first else [c for c in fact.event.changes if not _foreign(c)]
        for change in told[:_PARAMETERS_SHOWN]:
            yield sentence(_before(story, fact), ", ", _parameter(fact, change))
        if first or not told:
            what = (
                "the first configuration of the cluster" if first else "a change of configuration"
            )
            yield sentence(_before(story, fact), ", ", _recorded(fact, what))
        elif len(fact.event.changes) > len(told[:_PARAMETERS_SHOWN]):
            yield sentence(_before(story, fact), ", other parameters were changed with it")


def _foreign(change: ConfigChange) -> bool:
    """Whether a value is text: somebody wrote it, and what he wrote is not repeated here."""
    return isinstance(change.before, str) or isinstance(change.after, str)


def _recorded(fact: Fact[ConfigChanged] | Fact[DeploymentRecorded], what: str) -> Piece:
    return counted(
        f"event:{type(fact.event).__name__}",
        1,
        from_at=fact.at,
        to_at=fact.at,
        events=(fact.id,),
        text=f"{what} was recorded",
    )


def _parameter(fact: Fact[ConfigChanged], change: ConfigChange) -> Piece:
    was, now = (_scalar(v, change.unit) for v in (change.before, change.after))
    return changed(
        f"config:{change.parameter}",
        change.before,
        change.after,
        change.unit,
        from_at=fact.at,
        to_at=fact.at,
        events=(fact.id,),
        text=f"{change.parameter} was set from {was} to {now}",
    )


def _scalar(value: Scalar | None, unit: str) -> str:
    match value:
        case None:
            return "unset"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return number(value, unit, digits=6)
        case str():
            raise Defect("a value that somebody wrote is about to be told")


def _deployments(story: Story) -> Iterator[Sentence]:
    for fact in story.book.all(DeploymentRecorded):
        if _looked_from(story) <= fact.at <= story.at:
            yield sentence(_before(story, fact), ", ", _recorded(fact, "a deployment"))


def _nothing_recorded(story: Story) -> Sentence:
    since = _looked_from(story)
    first = story.book.samples[0] if story.book.samples else None
    if first is not None and not story.book.whole:
        since = max(since, first.at)  # what came before is not in the book
    none = [
        counted(of, 0, from_at=since, to_at=story.at, events=(story.book.explains,), text=text)
        for of, text in (
            ("event:ConfigChanged", "no change of configuration"),
            ("event:DeploymentRecorded", " and no deployment"),
        )
    ]
    return sentence(
        *none,
        f" was recorded from {moment(since, seen_from=story.at)} to {clock(story.at)}",
    )


def _processes(story: Story) -> Iterator[Sentence]:
    """Each time that another number of processes of a role reported, the newest ones."""
    samples = [s for s in story.book.samples if _looked_from(story) <= s.at <= story.at]
    for role in _ROLES:
        name = PULSE_OF[role]
        found: list[Sentence] = []
        known = False  # before a role was seen at all, nothing of it can have changed
        for earlier, later in pairwise(samples):
            was = story.book.reading(name, earlier.at)
            now = story.book.reading(name, later.at)
            known = known or not (was is None or isinstance(was, Missing))
            if not known or was is None or now is None or was == now or _both_missing(was, now):
                continue
            found.append(
                _process_change(name, (earlier.at, was, earlier.id), (later.at, now, later.id))
            )
        yield from found[-_PROCESS_CHANGES_SHOWN:]


_Seen = tuple[int, Reading, UUID]


def _both_missing(was: Reading, now: Reading) -> bool:
    return isinstance(was, Missing) and isinstance(now, Missing)


def _process_change(name: str, before: _Seen, after: _Seen) -> Sentence:
    (from_at, was, first), (to_at, now, then) = before, after
    unit = BY_NAME[name].unit
    if not isinstance(was, Missing) and not isinstance(now, Missing):
        verb = "rose" if now > was else "fell"
        return sentence(
            changed(
                name,
                was,
                now,
                unit,
                from_at=from_at,
                to_at=to_at,
                events=(first, then),
                text=f"{phrase(name)} {verb} from {was:g} to {now:g} at {clock(to_at)}",
            )
        )
    return sentence(
        f"{phrase(name)}: ",
        _process_reading(name, was, at=from_at, event=first),
        ", then ",
        _process_reading(name, now, at=to_at, event=then),
    )


def _process_reading(name: str, value: Reading, *, at: int, event: UUID) -> Piece:
    """What a pulse read, without its name: the sentence has named it."""
    if isinstance(value, Missing):
        absent = unread(name, value, at=at, event=event)
        return Piece(f"no reading ({value.value}) at {clock(at)}", absent.claims)
    unit = BY_NAME[name].unit
    read = value_was(name, value, unit, at=at, event=event)
    return Piece(f"{number(value, unit)} at {clock(at)}", read.claims)


def _membership(story: Story) -> Iterator[Sentence]:
    """Lines about processes that come and go, by service and pattern."""
    facts: list[Fact[LogSampleRecorded]] = []
    for fact in story.book.all(LogSampleRecorded):
        if fact.event.counts is None:
            facts = []  # across a gap of sight nothing can be counted
        elif _looked_from(story) <= fact.at <= story.at:
            facts.append(fact)
    totals: dict[tuple[str, str], list[Fact[LogSampleRecorded]]] = {}
    for fact in facts:
        for service, counts in sorted((fact.event.counts or {}).items()):
            for pattern in _MEMBERSHIP:
                if service in _SERVERS and counts.get(pattern):
                    totals.setdefault((service, pattern), []).append(fact)
    for (service, pattern), told in sorted(
        totals.items(), key=lambda i: _MEMBERSHIP.index(i[0][1])
    ):
        yield _lines(service, pattern, told)


def _lines(service: str, pattern: str, facts: list[Fact[LogSampleRecorded]]) -> Sentence:
    total = sum((f.event.counts or {})[service][pattern] for f in facts)
    first, last = facts[0].at, facts[-1].at
    name = f"log:{service}/{pattern}"
    when = f"at {clock(first)}" if first == last else f"from {clock(first)} to {clock(last)}"
    return sentence(
        counted(
            name,
            total,
            from_at=first,
            to_at=last,
            events=tuple(f.id for f in facts),
            text=f"in the log of {service}, {number(total, 'lines')} {when}: "
            f"{PATTERNS_BY_ID[pattern].meaning}",
        )
    )
