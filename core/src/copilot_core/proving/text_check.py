"""The text of a sentence held against its claims: what it says beyond them is a reason to cut it.

Theory of operation. Each unit of meaning (`copilot_core.proving.text_units`) must be borne by one
claim of the sentence: its words by the claim's phrases, its figures by the claim's figures, each in
the part that it plays there (a threshold where the text says threshold, a beginning where it says
since).

    fact     the unit is a phrase of the claim, or a rewording: the same words in the same order, in
             other forms and with other glue
    label    the unit names what the claim is about, beside a figure of the claim

Then the turns of phrase of the whole sentence are held against its claims
(`copilot_core.proving.turns`). Reasons are a closed list and hold no word of the text.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from copilot_core.explanation import (
    AbsenceClaim,
    CauseLinkClaim,
    Claim,
    HypothesisClaim,
    OrderClaim,
    StateClaim,
)
from copilot_core.proving.figure_parts import unborne_figure
from copilot_core.proving.lexicon import (
    IMPERATIVES,
    MOVES,
)
from copilot_core.proving.sayings import Saying, saying
from copilot_core.proving.state_tense import untimed
from copilot_core.proving.text_units import (
    Kind,
    Token,
    Unit,
    has_content,
    is_content,
    is_plain,
    joined,
    phrases_of,
    tokens_of,
    units_of,
    with_phrases,
)
from copilot_core.proving.turns import unbacked_turn
from copilot_core.proving.unit_words import NOTHING, rewords, unborne_words
from copilot_core.words.book import Book


@dataclass(frozen=True, slots=True)
class Borne:
    """A unit and the saying that bears it; None for a unit without content."""

    unit: Unit
    by: Saying | None


def read(text: str, claims: tuple[Claim, ...], book: Book) -> list[Borne] | str:
    """The units of a text with what bears each, or what it says beyond its claims, as a reason.

    The claims hold already: `copilot_core.proving.claim_checks` has said so.
    """
    if not is_plain(text):
        return "a character that is not plain text"
    if not claims:
        return "nothing is claimed, so nothing shows it"
    sayings = tuple(saying(claim, book) for claim in claims)
    tokens = with_phrases(
        tokens_of(text, book.cluster),
        phrases_of(
            ((fact, i) for i, s in enumerate(sayings) for fact in s.facts),
            ((label, i) for i, s in enumerate(sayings) for label in s.labels),
        ),
    )
    if any(t.kind is Kind.MARK and t.text not in _MARKS for t in tokens):
        return "a sign that belongs to no sentence"
    if reason := _another_cluster(tokens):
        return reason
    borne = _all_borne(units_of(tokens), sayings)
    if isinstance(borne, str):
        return borne
    if _only_named(borne) or not any(b.by and has_content(b.unit.tokens) for b in borne):
        return "nothing is said of it"
    turned = unbacked_turn([(b.unit, b.by) for b in borne], sayings, book)
    return borne if turned is None else turned


def bearing(borne: list[Borne], claims: tuple[Claim, ...]) -> tuple[Claim, ...]:
    """The claims that the text is about: those that bear a unit or bring a phrase of it, and an
    order whose time stands there. The others were true and were read by nobody. Causes stay: they
    tell of which one a sentence is told, and whether it is a hypothesis."""
    tokens = [t for b in borne for t in b.unit.tokens]
    brought = {i for t in tokens for i in t.by}
    bears = [b.by.claim for b in borne if b.by is not None]
    return tuple(
        claim
        for i, claim in enumerate(claims)
        if i in brought
        or claim in bears
        or isinstance(claim, CauseLinkClaim | HypothesisClaim)
        or (
            isinstance(claim, OrderClaim)
            and any(t.figure and t.figure.means(claim.seconds, "s") for t in tokens)
        )
    )


_MARKS: Final = frozenset(",;:().-–—'\"‘’“”")


def _only_named(borne: list[Borne]) -> bool:
    """Whether something is named by a label, and no unit says anything of it."""
    named = [b for b in borne if b.by is not None and not _says(b)]
    said = {b.by.about for b in borne if b.by is not None and _says(b)}
    return any(b.by is not None and b.by.about not in said for b in named)


def _says(borne: Borne) -> bool:
    """Whether a unit says something of what it names: a figure, a fact, a state, that there is
    none."""
    return (
        bool(borne.unit.figures)
        or isinstance(
            borne.by.claim if borne.by else None, AbsenceClaim | StateClaim | CauseLinkClaim
        )
        or any(
            t.kind is Kind.FACT or (t.kind is Kind.WORD and t.text in NOTHING)
            for t in borne.unit.tokens
        )
    )


def _another_cluster(tokens: list[Token]) -> str | None:
    """Whether a word that could be another cluster's name follows `cluster`."""
    for token, after in pairwise(tokens):
        named = after.kind in (Kind.FACT, Kind.LABEL) or (
            after.kind is Kind.WORD and is_content(after.text) and after.text not in MOVES
        )
        if token.text == "cluster" and named:
            return "another cluster is named"
    return None


def _all_borne(units: list[Unit], sayings: tuple[Saying, ...]) -> list[Borne] | str:
    """Each unit with the saying that bears it, or why one is not borne."""
    borne: list[Borne] = []
    while units:
        unit = units.pop(0)
        found = _borne(unit, sayings, borne)
        if isinstance(found, str) and units and units[0].link not in ("", "forward", "backward"):
            # A phrase may have a word in it that otherwise begins another unit.
            whole = joined(unit, units[0])
            by = rewords(whole, sayings)
            if by is not None and unborne_figure(whole, by, sayings) is None:
                unit, found = whole, by
                units.pop(0)
        if isinstance(found, str):
            return found
        borne.append(Borne(unit, found))
    return borne


def _borne(unit: Unit, sayings: tuple[Saying, ...], before: list[Borne]) -> Saying | str | None:
    """The saying that bears a unit, None where there is nothing to bear, or why none does."""
    first = unit.tokens[0] if unit.tokens else None
    if first is not None and first.kind is Kind.WORD and first.text in IMPERATIVES:
        return "it gives an order"
    goes_on = unit.goes_on or not has_content(unit.tokens)
    if goes_on and not unit.figures:
        return None
    last = next((b.by for b in reversed(before) if b.by is not None), None)
    reasons: list[str] = []
    unread = any(t.kind is Kind.SPECIAL and t.text in _UNREAD for t in unit.tokens)
    for index, candidate in enumerate(sayings):
        if unread and not goes_on and not isinstance(candidate.claim, AbsenceClaim):
            continue
        if goes_on and last is not None and candidate.about != last.about:
            continue
        reason = _against(unit, index, candidate, sayings, goes_on=goes_on)
        if reason is None:
            return candidate
        reasons.append(reason)
    return max(reasons, key=_nearness, default="no claim is about this")


_UNREAD: Final = frozenset({"unread", "missing", "without-reading"})


def _nearness(reason: str) -> int:
    """A figure that does not fit tells more than a word that does not."""
    return 1 if reason.startswith("figure") else 0


def _against(
    unit: Unit, index: int, by: Saying, sayings: tuple[Saying, ...], *, goes_on: bool
) -> str | None:
    """Why a claim does not bear a unit."""
    if not goes_on and (reason := unborne_words(unit, index, sayings)):
        return reason
    if not goes_on and isinstance(by.claim, StateClaim) and (reason := untimed(unit, by.claim)):
        return reason
    return unborne_figure(unit, by, sayings)
