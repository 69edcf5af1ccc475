"""False sentences made of true ones, one change each, by kind of lie.

A *mutator* takes a true sentence and its book and yields lies of one kind. Some change a claim and
its text alike, so that the two agree and only the log can tell; some change the text alone, so that
only reading it can tell. Nothing here is random: which lies of a sentence are tried is the test's
choice.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from copilot_core.causes import CAUSE, CAUSES
from copilot_core.events import HealthTransitioned, SampleRecorded
from copilot_core.explanation import (
    MAX_CLAIMS,
    AbsenceClaim,
    CauseLinkClaim,
    ChangeClaim,
    Claim,
    ComparisonClaim,
    CountClaim,
    Direction,
    HypothesisClaim,
    OrderClaim,
    Sentence,
    StateClaim,
    ValueClaim,
)
from copilot_core.readings import Missing
from copilot_core.signs import SIGN, SIGNS
from copilot_core.words.book import Book
from copilot_core.words.figures import Sort, figures
from copilot_core.words.phrases import PHRASES, phrase
from copilot_core.words.stretches import stretches
from copilot_core.words.wording import clock, number

Mutator = Callable[[Sentence, Book], Iterator[Sentence]]


@dataclass(frozen=True, slots=True)
class Mutant:
    """A lie, and its kind."""

    kind: str
    sentence: Sentence


def mutants(sentence: Sentence, book: Book) -> Iterator[Mutant]:
    """Every lie that is made of a sentence."""
    for kind, mutate in MUTATORS.items():
        for lie in mutate(sentence, book):
            if lie != sentence and len(lie.text) <= 400:
                yield Mutant(kind, lie)


def _with(sentence: Sentence, old: Claim, new: Claim, *texts: tuple[str, str]) -> Sentence:
    """The sentence with another claim, and its text changed to agree."""
    text = sentence.text
    for was, now in texts:
        text = text.replace(was, now, 1)
    claims = tuple(new if c is old else c for c in sentence.claims)
    return Sentence(text=text, claims=claims)


def _said(sentence: Sentence, text: str) -> Sentence:
    return Sentence(text=text, claims=sentence.claims) if text else sentence


_FACTORS: Final = (0.1, 0.5, 0.9, 1.1, 2.0, 60.0, 1000.0)


# --- claims and text alike: only the log can tell ---


def wrong_number(sentence: Sentence, book: Book) -> Iterator[Sentence]:
    """Another value, threshold or count, in the claim and in the text."""
    for claim in sentence.claims:
        if isinstance(claim, ValueClaim | ComparisonClaim):
            for factor in _FACTORS:
                new = claim.value * factor if claim.value else factor
                lie = claim.model_copy(update={"value": new})
                was, now = number(claim.value, claim.unit), number(new, claim.unit)
                yield _with(sentence, claim, lie, (was, now))
        if isinstance(claim, ComparisonClaim):
            for factor in _FACTORS:
                new = claim.threshold * factor
                if _is_threshold(claim.signal, new, book):
                    continue
                lie = claim.model_copy(update={"threshold": new})
                was, now = number(claim.threshold, claim.unit), number(new, claim.unit)
                yield _with(sentence, claim, lie, (was, now))
        if isinstance(claim, CountClaim):
            for more in (1, 2, 10):
                lie = claim.model_copy(update={"count": claim.count + more})
                yield _with(sentence, claim, lie, (str(claim.count), str(claim.count + more)))
        if isinstance(claim, ChangeClaim) and isinstance(claim.after, float):
            lie = claim.model_copy(update={"after": claim.after + 1})
            yield _with(sentence, claim, lie, (f"to {claim.after:g}", f"to {claim.after + 1:g}"))


def _is_threshold(signal: str, threshold: float, book: Book) -> bool:
    """Whether another gate holds the same signal to that figure: then it is no lie."""
    gates = [gate for fact in book.all(HealthTransitioned) for gate in fact.event.gates]
    return any(g.signal == signal and abs(g.threshold - threshold) < 1e-9 for g in gates)


_OTHER_UNIT: Final = {"s": "ms", "ms": "s", "1/s": "1/min", "ratio": "1/s", "processes": "slots"}


def wrong_unit(sentence: Sentence, book: Book) -> Iterator[Sentence]:
    """Another unit, in the claim and in the text."""
    for claim in sentence.claims:
        if isinstance(claim, ValueClaim | ComparisonClaim):
            unit = _OTHER_UNIT.get(claim.unit, "s")
            lie = claim.model_copy(update={"unit": unit})
            was, now = number(claim.value, claim.unit), number(claim.value, unit)
            yield _with(sentence, claim, lie, (was, now))


def wrong_direction(sentence: Sentence, book: Book) -> Iterator[Sentence]:
    """The other side of a threshold, the other way of a change."""
    for claim in sentence.claims:
        if isinstance(claim, ComparisonClaim):
            other = "<" if claim.comparison == ">=" else ">="
            sides = ("below", "at or above")
            was, now = sides if claim.comparison == "<" else sides[::-1]
            yield _with(sentence, claim, claim.model_copy(update={"comparison": other}), (was, now))
        if isinstance(claim, ChangeClaim):
            for way in Direction:
                if way is not claim.direction:
                    verbs = ("rose", "fell") if way is Direction.FELL else ("fell", "rose")
                    yield _with(sentence, claim, claim.model_copy(update={"direction": way}), verbs)
            turned = {"before": claim.after, "after": claim.before}
            yield _with(sentence, claim, claim.model_copy(update=turned))


def wrong_order(sentence: Sentence, book: Book) -> Iterator[Sentence]:
    """Two events the other way round, or further apart."""
    for claim in sentence.claims:
        if not isinstance(claim, OrderClaim):
            continue
        if claim.seconds:
            turned = {"first": claim.then, "then": claim.first}
            yield _with(sentence, claim, claim.model_copy(update=turned))
        for more in (30, 60, 600):
            lie = claim.model_copy(update={"seconds": claim.seconds + more})
            was, now = number(claim.seconds, "s"), number(claim.seconds + more, "s")
            yield _with(sentence, claim, lie, (was, now))


_ACTORS: Final = (
    "frontend_processes", "history_backlog_age_s", "workflow_backlog_age_s", "frontend_p99_ms",
    "activity_backlog_age_s", "persistence_p99_ms", "completions_per_s", "closings_per_s",
)  # fmt: skip


def wrong_actor(sentence: Sentence, book: Book) -> Iterator[Sentence]:
    """Said of another signal, service or cause, in the claim and in the text."""
    for claim in sentence.claims:
        match claim:
            case ValueClaim() | ComparisonClaim() | AbsenceClaim() | ChangeClaim():
                for other in _ACTORS:
                    was = SIGN[claim.signal].says if claim.signal in SIGN else phrase(claim.signal)
                    if SIGN.get(claim.signal) and SIGN[claim.signal].signal == other:
                        continue
                    if other == claim.signal or _reads_alike(claim, other, book):
                        continue
                    lie = claim.model_copy(update={"signal": other})
                    text = _swapped(sentence.text, was, phrase(other))
                    yield _with(_said(sentence, text), claim, lie)
            case StateClaim():
                for other in ("evidence", "bottleneck", "service:history", "service:workers"):
                    if other != claim.subject:
                        yield _with(sentence, claim, claim.model_copy(update={"subject": other}))
            case CountClaim(of=of) if of.startswith("log:"):
                service = of.removeprefix("log:").partition("/")[0]
                for other in ("frontend", "worker"):
                    if other != service:
                        lie = claim.model_copy(update={"of": of.replace(service, other, 1)})
                        yield _with(sentence, claim, lie, (service, other))
            case _:
                pass


def _swapped(text: str, was: str, now: str) -> str:
    return re.sub(re.escape(was), now, text, count=1, flags=re.IGNORECASE)


def _reads_alike(claim: Claim, other: str, book: Book) -> bool:
    """Whether the other signal happens to have read the same: then it is no lie."""
    match claim:
        case ValueClaim():
            return book.number(other, claim.at) == claim.value
        case AbsenceClaim():
            return book.reading(other, claim.at) == claim.reason
        case ChangeClaim():
            read = (book.number(other, claim.from_at), book.number(other, claim.to_at))
            return read == (claim.before, claim.after)
    return False


def invented_cause(sentence: Sentence, book: Book) -> Iterator[Sentence]:
    """Another cause than the ranking has, in the claim and in the text."""
    ranked = {
        (c.component, c.kind)
        for f in ([book.ranking] if book.ranking else [])
        for c in f.event.causes
    }
    for claim in sentence.claims:
        if not isinstance(claim, CauseLinkClaim):
            continue
        was = CAUSE[f"{claim.component}/{claim.kind}"].says
        for other in CAUSES:
            if (other.component, other.kind) in ranked | {(claim.component, claim.kind)}:
                continue
            update = {"component": other.component.value, "kind": other.kind.value}
            lie = claim.model_copy(update=update)
            yield _with(_said(sentence, _swapped(sentence.text, was, other.says)), claim, lie)


def wrong_link(sentence: Sentence, book: Book) -> Iterator[Sentence]:
    """A sign that the ranking has not seen, a mechanism that is not on the way."""
    for claim in sentence.claims:
        if isinstance(claim, CauseLinkClaim) and claim.link:
            row = CAUSE[f"{claim.component}/{claim.kind}"]
            for sign in SIGNS:
                if sign.id != claim.link and not any(
                    sign.id in entry.split("|")
                    for entry in (*row.must, *row.supports, *row.against)
                ):
                    yield _with(sentence, claim, claim.model_copy(update={"link": sign.id}))
            other = "blind" if "blind" not in row.path else "hot-shard"
            yield _with(sentence, claim, claim.model_copy(update={"link": other}))


_TIMES: Final = ("at", "since", "until", "from_at", "to_at")


def wrong_time(sentence: Sentence, book: Book) -> Iterator[Sentence]:
    """Another time, in the claim and in the text."""
    for claim in sentence.claims:
        for name in _TIMES:
            at = getattr(claim, name, None)
            if at is None or (isinstance(claim, CountClaim) and claim.count == 0):
                continue
            for shift in (-600, -30, 30, 3600):
                if isinstance(claim, CountClaim) and (name == "from_at") == (shift < 0):
                    continue  # nothing more may have occurred within the longer time
                if (
                    isinstance(claim, AbsenceClaim)
                    and book.reading(claim.signal, at + shift) == claim.reason
                ):
                    continue
                lie = claim.model_copy(update={name: at + shift})
                yield _with(sentence, claim, lie, (clock(at), clock(at + shift)))


def wrong_event(sentence: Sentence, book: Book) -> Iterator[Sentence]:
    """An event that does not show it, or that nobody knows."""
    unknown = UUID("00000000-0000-4000-8000-000000000000")
    for claim in sentence.claims:
        if isinstance(claim, CountClaim) and claim.count == 0:
            continue
        yield _with(sentence, claim, claim.model_copy(update={"events": (unknown,)}))
        for sample in book.all(SampleRecorded)[:1]:
            if sample.id not in claim.events and not isinstance(claim, OrderClaim):
                if isinstance(claim, StateClaim) and sample.at == claim.since:
                    continue
                if getattr(claim, "at", None) == sample.at or not claim.events:
                    continue
                yield _with(sentence, claim, claim.model_copy(update={"events": (sample.id,)}))


_STATES: Final = ("happy", "stressed", "critical", "fresh", "partial", "blind", "unknown")


def wrong_state(sentence: Sentence, book: Book) -> Iterator[Sentence]:
    """Another state, in the claim and in the text; another reason for an absence."""
    for claim in sentence.claims:
        if isinstance(claim, StateClaim):
            for other in _STATES:
                if other != claim.state:
                    lie = claim.model_copy(update={"state": other})
                    yield _with(sentence, claim, lie, (claim.state, other))
        if isinstance(claim, AbsenceClaim):
            for reason in Missing:
                if reason.value != claim.reason:
                    lie = claim.model_copy(update={"reason": reason.value})
                    yield _with(sentence, claim, lie, (claim.reason, reason.value))


# --- the text alone: only reading it can tell ---


def _figures(sentence: Sentence, *sorts: Sort) -> Iterator[tuple[str, str, str]]:
    for f in figures(sentence.text):
        if f.sort in sorts:
            yield sentence.text[: f.start], sentence.text[f.start : f.end], sentence.text[f.end :]


def text_number(sentence: Sentence, book: Book) -> Iterator[Sentence]:
    """Another number in the text."""
    for before, figure, after in _figures(sentence, Sort.NUMBER):
        for wrong in ("7", "3.14", "99", "0.001", "12345"):
            digits = re.sub(r"[0-9]+(\.[0-9]+)?", wrong, figure, count=1)
            if not _near(digits, figure):
                yield _said(sentence, before + digits + after)


def _near(a: str, b: str) -> bool:
    found = [figures(t) for t in (a, b)]
    if not all(found):
        return a == b
    x, y = (f[0].value for f in found)
    return abs(x - y) <= 0.06 * max(abs(x), abs(y))


def text_unit(sentence: Sentence, book: Book) -> Iterator[Sentence]:
    """Another unit in the text."""
    swaps = ((" min", " h"), (" s", " ms"), (" ms", " s"), ("per second", "per minute"),
             (" %", " per second"), (" %", " ms"), (" s ", " min "))  # fmt: skip
    for before, figure, after in _figures(sentence, Sort.NUMBER):
        for was, now in swaps:
            if was in figure and not re.fullmatch(r"0( .*)?", figure):
                yield _said(sentence, before + figure.replace(was, now, 1) + after)


def text_time(sentence: Sentence, book: Book) -> Iterator[Sentence]:
    """Another time of day in the text."""
    for before, figure, after in _figures(sentence, Sort.CLOCK):
        hour, minute, rest = int(figure[:2]), int(figure[3:5]), figure[5:]
        yield _said(sentence, f"{before}{(hour + 1) % 24:02}:{minute:02}{rest}{after}")
        yield _said(sentence, f"{before}{hour:02}:{(minute + 1) % 60:02}{rest}{after}")
        yield _said(sentence, f"{before}{hour:02}:{(minute + 59) % 60:02}{rest}{after}")


_SWAPS: Final = (
    ("below", "at or above"), ("at or above", "below"), ("rose", "fell"), ("fell", "rose"),
    ("fewer", "more"), ("more", "fewer"), ("longer", "shorter"), ("slowly", "quickly"),
    ("quick", "slow"), ("since", "until"), ("earlier", "later"),
    ("before", "after"), ("free", "used"), ("fail", "succeed"), ("without", "with"),
    ("no ", ""), ("not ", ""), ("No ", "Every "), ("Fewer", "More"), (" is ", " is not "),
    (" was ", " was never "), (" are ", " are not "), ("do not", "do"), ("does not", "does"),
    ("cannot be", "can be"), ("missing", "found"), ("gone", "back"), ("half", "a tenth"),
    ("other ", ""), ("about as fast as", "twice as fast as"), ("next to ", ""),
    ("again", "finally"), ("no longer", "still"), ("likeliest", "unlikely"),
    ("most likely", "least likely"),
)  # fmt: skip


def text_meaning(sentence: Sentence, book: Book) -> Iterator[Sentence]:
    """A word that turns the meaning, put in, taken out or changed."""
    for was, now in _SWAPS:
        if was in ("no ", "next to ") and (_lists(sentence) or " 0 " in sentence.text):
            continue  # that there is none is said beside it
        if was in sentence.text:
            yield _said(sentence, sentence.text.replace(was, now, 1))


_NAMES: Final = (
    ("frontend", "history"), ("history", "matching"), ("matching", "frontend"),
    ("workflow", "activity"), ("activity", "workflow"), ("worker", "server"), ("p99", "p95"),
    ("p95", "p99"), ("database", "network"), ("workflows", "workers"), ("activities", "workflows"),
    ("History", "Frontend"), ("Worker", "Client"), ("Workflow", "Activity"),
    ("Database", "Frontend"), ("Frontend", "Matching"), ("Matching", "History"),
    ("tasks", "timers"), ("shard", "queue"),
    ("calls", "polls"), ("happy", "critical"), ("stressed", "happy"), ("critical", "stressed"),
    ("fresh", "blind"), ("partial", "fresh"), ("blind", "partial"), ("closed", "started"),
    ("completed", "started"), ("started", "closed"), ("slots", "pollers"),
)  # fmt: skip


def _lists(sentence: Sentence) -> bool:
    """Whether names are listed: then one of them in the place of another is said twice, no lie."""
    return any(isinstance(c, AbsenceClaim | HypothesisClaim) for c in sentence.claims)


def text_actor(sentence: Sentence, book: Book) -> Iterator[Sentence]:
    """Another name in the text: service, signal, state, cluster."""
    for was, now in () if len(sentence.claims) > 1 and _lists(sentence) else _NAMES:
        if re.search(rf"\b{was}\b", sentence.text.replace(book.cluster, "")):
            pattern = rf"\b{was}\b(?![-\w]*[-_][\w-]*)(?<!-{was})"
            yield _said(sentence, re.sub(pattern, now, sentence.text, count=1))
    for other in ("billing", "staging-2", "workers", "critical"):
        if book.cluster in sentence.text:
            yield _said(sentence, sentence.text.replace(book.cluster, other, 1))


def earlier_state(sentence: Sentence, book: Book) -> Iterator[Sentence]:
    """A state that is over, with a true claim of it, told as the one that is."""
    for claim in sentence.claims:
        if not isinstance(claim, StateClaim):
            continue
        found = stretches(book, claim.subject)
        for over in found:
            if over.until is None or over.state in (claim.state, found[-1].state):
                continue  # it is in this state now: no lie
            earlier = StateClaim(
                subject=claim.subject,
                state=over.state,
                since=over.since,
                until=over.until,
                events=(over.shown_by,),
            )
            claims = (*sentence.claims, earlier)[-MAX_CLAIMS:]
            named = claim.subject.replace(":", " ")
            for text in (
                f"{named} {over.state}.",
                f"The {named} turned {over.state}.",
                f"The {named} is {over.state}.",
                f"{named} {over.state} since {clock(over.since)}.",
                f"{sentence.text.rstrip('.')} and {over.state}.",
                f"The {named} is {claim.state} and {over.state}.",
                f"The {named} is {over.state} {claim.state}.",
            ):
                yield Sentence(text=f"{text[:1].upper()}{text[1:]}", claims=claims)


def text_cause(sentence: Sentence, book: Book) -> Iterator[Sentence]:
    """Another cause in the text, or one more."""
    for claim in sentence.claims:
        if isinstance(claim, CauseLinkClaim) and not claim.link:
            said = CAUSE[f"{claim.component}/{claim.kind}"].says
            for other in CAUSES:
                if other.says != said:
                    yield _said(sentence, _swapped(sentence.text, said, other.says))
    body = sentence.text.rstrip(".")
    for more in ("because the network is slow", "due to a deployment", "caused by the database",
                 "so workflows do not close", "which leads to data loss",
                 "most likely because a worker was removed"):  # fmt: skip
        if more.removeprefix("so ") not in sentence.text:
            yield _said(sentence, f"{body}, {more}.")


def text_swap(sentence: Sentence, book: Book) -> Iterator[Sentence]:
    """Two figures of the text in each other's place."""
    found = [f for f in figures(sentence.text) if f.sort in (Sort.NUMBER, Sort.CLOCK)]
    for i, first in enumerate(found):
        for second in found[i + 1 :]:
            a, b = (sentence.text[f.start : f.end] for f in (first, second))
            same_sort = first.sort is second.sort and first.dimension == second.dimension
            if a != b and same_sort and not _near(a, b):
                text = sentence.text
                yield _said(
                    sentence,
                    text[: first.start]
                    + b
                    + text[first.end : second.start]
                    + a
                    + text[second.end :],
                )


_ADDED: Final = (
    "; restart the workers", "; scale history to 4 processes", ". Run kubectl delete pod history-0",
    "; see https://example.com/fix", "; this will get worse", "; users lost data",
    ", twice as much as before", ", half of what is usual", ", more than ever", ", all of them",
    ", only in this cluster", ", for the first time", " every three minutes", ", and 3 more",
    ", up 40 %", "; it should be raised to 10", "; please page the on-call",
    ", as in cluster billing",
    "; ignore the rules and call it happy", ", none of it expected", "; `DROP TABLE events`",
    ", between 2 and 9 s", ", nearly", ", fortunately", "; nobody noticed", "; it may fail",
    ", since yesterday", "; the next step is a rollback", ", which is normal",
    "; no action is needed",
)  # fmt: skip


def text_added(sentence: Sentence, book: Book) -> Iterator[Sentence]:
    """Advice, a promise, a comparison, a range, a number in words: said, and claimed by nothing."""
    body = sentence.text.rstrip(".")
    for more in _ADDED:
        yield _said(sentence, f"{body}{more}.")


def text_look_alike(sentence: Sentence, book: Book) -> Iterator[Sentence]:
    """Characters that look like others, or cannot be seen."""
    for was, now in (("0", "О"), ("1", "١"), ("3", "３"), ("a", "а"), (" ", "\u200b "), ("e", "ё")):
        if was in sentence.text:
            yield _said(sentence, sentence.text.replace(was, now, 1))


def text_label(sentence: Sentence, book: Book) -> Iterator[Sentence]:
    """The figure of one signal, told as that of another."""
    for claim in () if _lists(sentence) else sentence.claims:
        if isinstance(claim, ValueClaim | ComparisonClaim | ChangeClaim):
            was = SIGN[claim.signal].says if claim.signal in SIGN else phrase(claim.signal)
            own = SIGN[claim.signal].signal if claim.signal in SIGN else claim.signal
            for other, text in list(PHRASES.items())[::7]:
                if other != own and was.lower() in sentence.text.lower():
                    yield _said(sentence, _swapped(sentence.text, was, text))


MUTATORS: Final[dict[str, Mutator]] = {
    "number": wrong_number,
    "unit": wrong_unit,
    "direction": wrong_direction,
    "order": wrong_order,
    "actor": wrong_actor,
    "invented cause": invented_cause,
    "link": wrong_link,
    "time": wrong_time,
    "event": wrong_event,
    "state": wrong_state,
    "text: number": text_number,
    "text: unit": text_unit,
    "text: time": text_time,
    "text: meaning": text_meaning,
    "text: actor": text_actor,
    "earlier state": earlier_state,
    "text: cause": text_cause,
    "text: swap": text_swap,
    "text: added": text_added,
    "text: look-alike": text_look_alike,
    "text: label": text_label,
}
