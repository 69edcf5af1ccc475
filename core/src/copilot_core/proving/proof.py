"""The proof of a draft: every sentence recomputed from the log and read against its claims.

Theory of operation. Nobody is believed. A sentence is kept when each of its claims holds in the
book (`copilot_core.proving.claim_checks`) and its text says nothing beyond them
(`copilot_core.proving.text_check`); otherwise it is cut, and the cut is recorded with its reason
but without its words. What was cut is filled from the deterministic explanation, which passes the
same proof; the next step is the rules' alone.

    prove      draft, book -> what is left of it, and what was cut
    completed  what is left, with the rules' words where a part lost its own
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from copilot_core.events import CutSentence, HealthTransitioned
from copilot_core.explanation import (
    CauseLinkClaim,
    CauseTold,
    Draft,
    Explanation,
    HypothesisClaim,
    OrderClaim,
    Sentence,
    StateClaim,
)
from copilot_core.proving.claim_checks import failing
from copilot_core.proving.text_check import unbacked
from copilot_core.words.book import Book, rankings

PARTS: Final = ("since", "certainty", "path", "changed_before", "not_seen")
"""The parts of a draft that are lists of sentences, beside the causes."""


@dataclass(frozen=True, slots=True)
class Proven:
    """What the log bears of a draft.

    `headline` is None where it was cut; a part is empty where all its sentences were. A cause whose
    first sentence was cut, or that is not in the ranking at its place, is left out.
    """

    headline: Sentence | None
    since: tuple[Sentence, ...]
    certainty: tuple[Sentence, ...]
    causes: tuple[CauseTold, ...]
    path: tuple[Sentence, ...]
    changed_before: tuple[Sentence, ...]
    not_seen: tuple[Sentence, ...]
    cut: tuple[CutSentence, ...]

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """Every sentence that is left."""
        head = () if self.headline is None else (self.headline,)
        told = tuple(s for cause in self.causes for s in cause.sentences)
        return (*head, *told, *(s for part in PARTS for s in getattr(self, part)))


def proven(sentence: Sentence, book: Book) -> str | None:
    """Why a sentence may not be shown; None when the log bears it. One of a closed list."""
    for claim in sentence.claims:
        if reason := failing(claim, book):
            return reason
    return unbacked(sentence.text, sentence.claims, book)


def prove(draft: Draft, book: Book) -> Proven:
    """Prove every sentence of a draft. Deterministic, and nothing in a draft makes it fail."""
    cut: list[CutSentence] = []

    def kept(part: str, sentences: tuple[Sentence, ...]) -> tuple[Sentence, ...]:
        found: list[Sentence] = []
        for sentence in sentences:
            reason = proven(sentence, book)
            if reason is None:
                found.append(sentence)
            else:
                cut.append(CutSentence(part=part, reason=reason))
        return tuple(dict.fromkeys(found))

    headline = kept("headline", (draft.headline,))
    if headline and not _says_the_status(draft.headline, book):
        cut.append(CutSentence(part="headline", reason="the headline does not tell the status"))
        headline = ()
    parts = {part: kept(part, getattr(draft, part)) for part in PARTS}
    causes = _causes(draft, book, kept, cut)
    return Proven(
        headline=headline[0] if headline else None,
        causes=causes,
        cut=tuple(cut),
        **parts,
    )


def _says_the_status(headline: Sentence, book: Book) -> bool:
    """Whether a headline tells the status as it is, or how long the incident was."""

    def is_transition(id_: UUID) -> bool:
        fact = book.fact(id_)
        return fact is not None and fact.is_a(HealthTransitioned)

    return any(
        (isinstance(c, StateClaim) and c.subject in ("status", "evidence") and c.until is None)
        or (isinstance(c, OrderClaim) and is_transition(c.first) and is_transition(c.then))
        for c in headline.claims
    )


def _causes(
    draft: Draft,
    book: Book,
    kept: Callable[[str, tuple[Sentence, ...]], tuple[Sentence, ...]],
    cut: list[CutSentence],
) -> tuple[CauseTold, ...]:
    """The causes of a draft that are told whole, in the order of the ranking."""
    place = {
        (c.component, c.kind): n
        for fact in reversed(rankings(book))
        for n, c in enumerate(fact.event.causes)
    }
    told: dict[int, CauseTold] = {}
    for cause in draft.causes:
        at = place.get((cause.component, cause.kind))
        if at is None or at in told:
            cut.extend(CutSentence(part="causes", reason=_NOT_RANKED) for _ in cause.sentences)
            continue
        own = tuple(s for s in cause.sentences if _is_about(s, cause))
        cut.extend(
            CutSentence(part="causes", reason=_NOT_ABOUT_IT)
            for _ in range(len(cause.sentences) - len(own))
        )
        if own and kept("causes", own) == cause.sentences:
            told[at] = cause
    return tuple(told[at] for at in sorted(told))


_NOT_RANKED: Final = "cause: it is not in the ranking"
_NOT_ABOUT_IT: Final = "cause: it is told of another one"


def _is_about(sentence: Sentence, cause: CauseTold) -> bool:
    """Whether a sentence names this cause in its claims, and no other."""
    named = {
        (c.component, c.kind)
        for c in sentence.claims
        if isinstance(c, CauseLinkClaim | HypothesisClaim) and c.kind
    }
    return named == {(cause.component, cause.kind)}


def completed(proven: Proven, rules: Explanation) -> Explanation:
    """The whole explanation: what is proven, and the rules' words for each part that lost one.

    A cause that was not told whole is told by the rules, at its place. The next step is the rules'.
    """
    lost = {cut.part for cut in proven.cut}
    parts = {
        part: getattr(rules if part in lost or not getattr(proven, part) else proven, part)
        for part in PARTS
    }
    own = {(c.component, c.kind): c for c in proven.causes}
    return Explanation(
        headline=proven.headline or rules.headline,
        causes=tuple(own.get((c.component, c.kind), c) for c in rules.causes),
        next_step=rules.next_step,
        **parts,
    )
