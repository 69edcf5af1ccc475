"""Turns of phrase held against the claims of their sentence: causes, order, time, sight.

Theory of operation. Words like *because*, *most likely*, *again* or *no longer* say something by
the way a sentence is put together, so they are looked at for the sentence as a whole. `TURNS` has
a check for each turn of the lexicon that is not the business of a single unit. A causal word stands
only between two links of one cause, the earlier step before the later one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from copilot_core.events import HealthTransitioned, SampleRecorded
from copilot_core.explanation import (
    AbsenceClaim,
    CauseLinkClaim,
    ComparisonClaim,
    HypothesisClaim,
    LinkRole,
    StateClaim,
    ValueClaim,
)
from copilot_core.proving.cause_claims import ranked_cause
from copilot_core.proving.lexicon import HEDGES
from copilot_core.proving.sayings import Saying, step_of
from copilot_core.proving.text_units import Kind, Unit, has_content
from copilot_core.words.book import Book, rankings
from copilot_core.words.figures import Sort
from copilot_core.words.stretches import stretches

Borne = Sequence[tuple[Unit, Saying | None]]


def unbacked_turn(borne: Borne, sayings: tuple[Saying, ...], book: Book) -> str | None:
    """The turn of phrase that the claims do not bear, as a reason; None when they bear all."""
    turns = {t.text for unit, _ in borne for t in unit.tokens if t.kind is Kind.SPECIAL}
    for turn in sorted(turns):
        check = TURNS.get(turn)
        if turn.startswith("of ") and not _in_unit(sayings, turn):
            return "turn: a share of something else"
        if check is not None and not check(sayings, book):
            return f"turn: {turn} is not what the claims show"
    if _hedged(borne) and not any(isinstance(s.claim, HypothesisClaim) for s in sayings):
        return "it guesses and is no hypothesis"
    if "missing" in turns and not _is_of_sight(borne):
        return "turn: missing is said of a thing, not of its reading"
    for check in (_unranked, _uncaused, _untimed):
        if reason := check(borne, book):
            return reason
    return None


_SIGHT: Final = frozenset({"reading", "readings", "value", "values", "signal", "signals"})


def _is_of_sight(borne: Borne) -> bool:
    """Whether a sentence says that it is a reading which is missing, or for which reason."""
    return any(
        t.text in _SIGHT or (t.kind is Kind.FACT and by and isinstance(by.claim, AbsenceClaim))
        for unit, by in borne
        for t in unit.tokens
    )


def _hedged(borne: Borne) -> bool:
    return any(
        t.kind is Kind.WORD and t.text in HEDGES and by is None
        for unit, by in borne
        for t in unit.tokens
    )


# --- which cause --------------------------------------------------------------------------------


def _place(by: Saying | None, book: Book) -> int | None:
    """The place in the ranking of the cause that a unit names; None where it names none."""
    if by is None or not isinstance(by.claim, CauseLinkClaim) or step_of(by.claim) != 0:
        return None
    found = ranked_cause(by.claim, book)
    return None if found is None else found[0]


def _unranked(borne: Borne, book: Book) -> str | None:
    """Whether the likeliest cause is another one than is said."""
    places = [_place(by, book) for _, by in borne]
    for at, (unit, _) in enumerate(borne):
        for n, token in enumerate(unit.tokens):
            first = token.text in _FIRST
            if token.kind is not Kind.SPECIAL or not (first or token.text == "beside"):
                continue
            on = at + 1 if has_content(unit.tokens[:n]) else at  # said of what follows it
            following = [p for p, (_, by) in zip(places[on:], borne[on:], strict=True) if by]
            earlier = [p for p in reversed(places[:at]) if p is not None]
            place = next(iter(following or earlier), None)
            if place is None or first != (place == 0):
                return f"turn: {token.text} is not the place of this cause"
    return None


_FIRST: Final = frozenset({"likeliest", "was-likeliest"})


def _is_its_cause(borne: Borne, at: int, step: tuple[str, int] | None) -> bool:
    """Whether it is `critical, most likely because` of a cause, and not `because` alone."""
    (before, by), (unit, _) = borne[at - 1], borne[at]
    tokens = (*before.tokens, *unit.tokens)
    hedged = any(t.kind is Kind.SPECIAL and t.text in _FIRST for t in tokens)
    claim = by.claim if by else None
    return (
        hedged
        and isinstance(claim, StateClaim)
        and claim.subject == "status"
        and step is not None
        and step[1] == 0
    )


def _step(by: Saying | None) -> tuple[str, int] | None:
    if by is None or not isinstance(by.claim, CauseLinkClaim):
        return None
    step = step_of(by.claim)
    return None if step is None else (by.about, step)


def _uncaused(borne: Borne, book: Book) -> str | None:
    """Whether a causal word stands between what the graph does not link in that order."""
    steps = [_step(by) for _, by in borne]
    for at, (unit, _) in enumerate(borne):
        if unit.link not in ("forward", "backward"):
            continue
        here = steps[at]
        if at == 0 and unit.link == "backward":
            first, then = here, steps[1] if len(steps) > 1 else None
        elif at == 0:
            if here is None or here[1] == 0:
                return "a causal word without a cause"
            continue
        else:
            if unit.link == "backward" and _is_its_cause(borne, at, here):
                continue
            first, then = steps[at - 1], here
            if unit.link == "backward":
                first, then = then, first
        if first is None or then is None or first[0] != then[0] or first[1] >= then[1]:
            return "a causal word between what the graph does not link so"
    return None


# --- when ---------------------------------------------------------------------------------------

_OVER: Final = frozenset({"was", "were", "had", "been", "no-longer", "was-likeliest"})


def _untimed(borne: Borne, book: Book) -> str | None:
    """Whether something that is over is told as if it still were; states have a module of their
    own, `copilot_core.proving.state_tense`."""
    words = {t.text for unit, _ in borne for t in unit.tokens if t.kind is not Kind.MARK}
    clocked = any(
        t.figure and t.figure.sort is Sort.CLOCK for unit, _ in borne for t in unit.tokens
    )
    for _, by in borne:
        if by is None:
            continue
        claim = by.claim
        if isinstance(claim, ValueClaim | ComparisonClaim | AbsenceClaim):
            if claim.at != book.slot and not clocked:
                return "it was at another time, and that is not said"
        elif isinstance(claim, CauseLinkClaim) and step_of(claim) == 0:
            found = ranked_cause(claim, book)
            if found and not found[1].now and not words & _OVER:
                return "this cause is not seen any more"
    return None


# --- one check per turn -------------------------------------------------------------------------

Check = Callable[[tuple[Saying, ...], Book], bool]


def _links(sayings: tuple[Saying, ...]) -> list[CauseLinkClaim]:
    return [s.claim for s in sayings if isinstance(s.claim, CauseLinkClaim)]


def _no_longer(sayings: tuple[Saying, ...], book: Book) -> bool:
    found = [ranked_cause(claim, book) for claim in _links(sayings) if step_of(claim) == 0]
    return bool(found) and all(f is not None and not f[1].now for f in found)


def _open(sayings: tuple[Saying, ...], book: Book) -> bool:
    return not any(f.event.causes for f in rankings(book)) and not _links(sayings)


def _first_seen(sayings: tuple[Saying, ...], book: Book) -> bool:
    first = next((f.at for f in book.all(SampleRecorded)), None)
    states = [s.claim for s in sayings if isinstance(s.claim, StateClaim)]
    return book.whole and any(
        state.since
        <= min(s.since for s in stretches(book, state.subject) if s.state == state.state)
        and first is not None
        for state in states
    )


def _again(sayings: tuple[Saying, ...], book: Book) -> bool:
    states = [s.claim for s in sayings if isinstance(s.claim, StateClaim)]
    return any(
        s.state == state.state and s.since < state.since
        for state in states
        for s in stretches(book, state.subject)
    )


def _still(sayings: tuple[Saying, ...], book: Book) -> bool:
    lasting = [s.claim.until is None for s in sayings if isinstance(s.claim, StateClaim)]
    read = [
        s.claim.at == book.slot
        for s in sayings
        if isinstance(s.claim, ValueClaim | ComparisonClaim | AbsenceClaim)
    ]
    return all((*lasting, *read)) and bool(lasting or read)


def _nearest(sayings: tuple[Saying, ...], book: Book) -> bool:
    event = book.explained.event
    nearest = event.gates[0] if isinstance(event, HealthTransitioned) and event.gates else None
    compared = [s.claim for s in sayings if isinstance(s.claim, ComparisonClaim)]
    return nearest is not None and all(
        (c.signal, c.threshold) == (nearest.signal, nearest.threshold) for c in compared
    )


def _before_that(sayings: tuple[Saying, ...], book: Book) -> bool:
    return any(
        (isinstance(s.claim, StateClaim) and s.claim.until is not None)
        or any(at < book.slot for _, at in s.times)
        for s in sayings
    )


def _against(sayings: tuple[Saying, ...], book: Book) -> bool:
    return any(claim.role is LinkRole.AGAINST for claim in _links(sayings))


def _unread(sayings: tuple[Saying, ...], book: Book) -> bool:
    return any(isinstance(s.claim, AbsenceClaim) for s in sayings)


def _untold(sayings: tuple[Saying, ...], book: Book) -> bool:
    return _unread(sayings, book) and any(isinstance(s.claim, HypothesisClaim) for s in sayings)


def _others(sayings: tuple[Saying, ...], book: Book) -> bool:
    """Whether more signals than are named lack a reading for the same reason in that slot."""
    absent = [s.claim for s in sayings if isinstance(s.claim, AbsenceClaim)]
    named = {claim.signal for claim in absent}
    for claim in absent[:1]:
        sample = book.sample(claim.at)
        for name in sample.event.verdict.missing if sample else ():
            if name not in named and book.reading(name, claim.at) == claim.reason:
                return True
    return False


def _compared(sayings: tuple[Saying, ...], book: Book) -> bool:
    return any(isinstance(s.claim, ComparisonClaim) and s.claim.comparison == ">=" for s in sayings)


def _in_unit(sayings: tuple[Saying, ...], unit: str) -> bool:
    return any(of == unit for s in sayings for _, _, of in s.numbers)


TURNS: Final[Mapping[str, Check]] = MappingProxyType(
    {
        "no-longer": _no_longer,
        "open": _open,
        "first-seen": _first_seen,
        "again": _again,
        "still": _still,
        "nearest": _nearest,
        "before-that": _before_that,
        "against": _against,
        "unread": _unread,
        "missing": _unread,
        "untold": _untold,
        "without-reading": _unread,
        "others": _others,
        "at-or-above": _compared,
    }
)
