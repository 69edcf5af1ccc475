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
from copilot_core.proving.state_tense import end_said, is_told_as_it_is
from copilot_core.proving.text_check import Borne, bearing, read
from copilot_core.proving.text_units import has_content
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
    found = _borne(sentence, book)
    return found if isinstance(found, str) else None


def _borne(sentence: Sentence, book: Book) -> list[Borne] | str:
    for claim in sentence.claims:
        if reason := failing(claim, book):
            return reason
    return read(sentence.text, sentence.claims, book)


def _kept(sentence: Sentence, book: Book, *, headline: bool) -> Sentence | str:
    """A sentence with the claims that its text rests on, proven by these alone, or why it is
    cut."""
    found = _borne(sentence, book)
    if isinstance(found, str):
        return found
    kept = Sentence(text=sentence.text, claims=bearing(found, sentence.claims))
    if kept != sentence:
        found = read(kept.text, kept.claims, book)
        if isinstance(found, str):
            return found
    return _NO_HEADLINE if headline and not _says_the_status(found, book) else kept


_NO_HEADLINE: Final = "the headline does not tell the status"


def prove(draft: Draft, book: Book) -> Proven:
    """Prove every sentence of a draft. Deterministic, and nothing in a draft makes it fail."""
    cut: list[CutSentence] = []

    def kept(part: str, sentences: tuple[Sentence, ...]) -> tuple[Sentence, ...]:
        found: list[Sentence] = []
        for sentence in sentences:
            told = _kept(sentence, book, headline=part == "headline")
            if isinstance(told, str):
                cut.append(CutSentence(part=part, reason=told))
            else:
                found.append(told)
        return tuple(dict.fromkeys(found))

    headline = kept("headline", (draft.headline,))
    parts = {part: kept(part, getattr(draft, part)) for part in PARTS}
    causes = _causes(draft, book, kept, cut)
    return Proven(
        headline=headline[0] if headline else None,
        causes=causes,
        cut=tuple(cut),
        **parts,
    )


def _says_the_status(borne: list[Borne], book: Book) -> bool:
    """Whether a headline's text tells the status as it is, or how long the incident was that the
    explained event ended; and no state that is over without its end."""

    def is_transition(id_: UUID) -> bool:
        fact = book.fact(id_)
        return fact is not None and fact.is_a(HealthTransitioned)

    tells = False
    for unit, claim in ((b.unit, b.by.claim) for b in borne if b.by is not None):
        match claim:
            case StateClaim(until=None):
                of_status = claim.subject == "status" and has_content(unit.tokens)
                tells |= of_status and is_told_as_it_is(unit, claim)
            case StateClaim():
                if not end_said(unit, claim):
                    return False
            case OrderClaim():
                tells |= is_transition(claim.first) and claim.then == book.explains
            case _:
                pass
    return tells


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
        sentences = kept("causes", own)
        if own and [s.text for s in sentences] == [s.text for s in cause.sentences]:
            told[at] = cause.model_copy(update={"sentences": sentences})
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
