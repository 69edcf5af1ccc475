"""The words of a unit, held against the claim that is to bear it.

Theory of operation. Three ways to be borne:

    fact      a phrase of the claim stands there as it is, and beside it nothing but names
    reworded  the words are those of a phrase, in its order, in other forms and with other glue
    label     the words name what the claim is about, all that sets it apart included, and no word
              turns the meaning but one that the claim bears: the way of a change, the side of a
              threshold, that there was none

Two facts in one unit would be joined by a word that says how (since, as, with): never borne.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from copilot_core.explanation import (
    ChangeClaim,
    Claim,
    CountClaim,
    Direction,
    HypothesisClaim,
    OrderClaim,
    StateClaim,
)
from copilot_core.proving.figure_parts import runs_of, side_holds
from copilot_core.proving.lexicon import (
    ABOVE,
    BELOW,
    CRITICAL,
    FELL,
    HEDGES,
    JOINING,
    MOVES,
    PREPOSITIONS,
    ROSE,
    SETS_APART,
    THRESHOLD_WORDS,
    canonical,
    content,
    parts,
    words_of,
)
from copilot_core.proving.sayings import SUBJECT_WORDS, Part, Saying, spelled_out
from copilot_core.proving.text_units import Kind, Token, Unit, phrase_words, said_words
from copilot_core.words.book import unit_of
from copilot_core.words.figures import Sort, dimension_of
from copilot_core.words.phrases import PHRASES

_UNKNOWN: Final = "a word that no claim brings"
NOTHING: Final = frozenset({"no", "none", "nothing"})
"""Words that say that there was none of it."""


def unborne_words(unit: Unit, index: int, sayings: tuple[Saying, ...]) -> str | None:
    """Why the words of a unit are not borne by a saying; None when they are."""
    by = sayings[index]
    kin = frozenset(i for i, s in enumerate(sayings) if s.about == by.about)
    facts = [t for t in unit.tokens if t.kind is Kind.FACT]
    labels = [t for t in unit.tokens if t.kind is Kind.LABEL]
    if any(not t.by & kin for t in (*facts, *labels)):
        return "a phrase is said of something else"
    if len(facts) > 1:
        return "two phrases are joined by a word that says how"
    hypothesis = any(isinstance(s.claim, HypothesisClaim) for s in sayings)
    said = [w for w in said_words(unit) if not (hypothesis and w[0] in HEDGES)]
    reworded = not facts and not labels and any(_rewords(unit, fact) for fact in by.facts)
    if reason := _joined(unit) or (None if reworded else _loose_cue(unit, by)):
        return reason
    if reworded:
        return None
    if any(index in t.by for t in facts):
        return _beside_fact(said, by)
    if facts and not any(index in t.by for t in labels):
        return "a phrase is shown by another claim"
    if reason := _beside_label(unit, said, [t for t in labels if index in t.by], by):
        return reason
    return _not_from_there(unit, index, sayings)


# --- facts --------------------------------------------------------------------------------------


def rewords(unit: Unit, sayings: tuple[Saying, ...]) -> Saying | None:
    """The saying whose phrase a unit is, in other words; None where it is nobody's."""
    if any(t.kind in (Kind.FACT, Kind.LABEL) for t in unit.tokens) or _joined(unit):
        return None
    for saying in sayings:
        if any(_rewords(unit, fact) for fact in saying.facts):
            return saying
    return None


def _rewords(unit: Unit, fact: str) -> bool:
    """Whether words are a phrase said in other forms and with other glue, in its order."""
    known = content(words_of(fact))
    said = (phrase_words(unit, turns=turns) for turns in (True, False))
    return len(known) > 1 and known in said


def _beside_fact(said: list[tuple[str, str]], by: Saying) -> str | None:
    """Words beside a whole phrase: only what names the same thing."""
    for raw, word in said:
        moves = raw in MOVES and isinstance(by.claim, OrderClaim | StateClaim)
        if not moves and (word not in by.words or raw in CRITICAL):
            return _UNKNOWN
    return None


def _joined(unit: Unit) -> str | None:
    """Whether the unit hangs on another one by a word that says how: `as`, `since`, `with`."""
    for at, token in enumerate(unit.tokens):
        if token.kind is not Kind.WORD or token.text not in JOINING | PREPOSITIONS:
            continue
        rest = unit.tokens[at + 1 :]
        past_articles = (t for t in rest if t.kind is not Kind.WORD or t.text not in _ARTICLES)
        follows = next(past_articles, None)
        if token.text != "for" and _is_no_object(follows):  # `asked for` may end a unit
            return _HANGS
        if follows is None or token.text not in JOINING or _is_time(follows):
            continue
        begins = at == 0 or unit.tokens[at - 1].kind in (Kind.MARK, Kind.SPECIAL)
        named = rest[0].kind in (Kind.FACT, Kind.LABEL)
        if token.text in ("since", "until", "till"):
            return _HANGS
        if begins and (named or token.text not in ("from", "for")):
            return _HANGS
    return None


def _is_no_object(token: Token | None) -> bool:
    """Whether a preposition has nothing to stand before."""
    return token is None or token.kind in (Kind.MARK, Kind.SPECIAL) or token.text in PREPOSITIONS


_HANGS: Final = "it is joined by a word that says how"
_ARTICLES: Final = frozenset({"the", "then", "about", "around"})


def _is_time(token: Token | None) -> bool:
    return token is not None and (token.kind is Kind.FIGURE or token.text == "then")


def _loose_cue(unit: Unit, by: Saying) -> str | None:
    """Whether a word of comparison or of time stands there without the figure that it needs."""
    beside = runs_of(unit)
    for at, token in enumerate(unit.tokens):
        if token.kind is not Kind.WORD or at in beside:
            continue
        if token.text in ABOVE or token.text in BELOW:
            above = token.text in ABOVE
            if not side_holds(by, above=above, at_or_above=False, below=not above):
                return "a comparison that no claim makes"
        elif token.text in THRESHOLD_WORDS:
            before = [t.text for t in unit.tokens[max(at - 2, 0) : at]]
            if not any(w in ABOVE or w in BELOW or w == "at-or-above" for w in before):
                return "a threshold without its figure"
        elif token.text in ("before", "after", "earlier", "later", "ago", "prior", "or"):
            return "a word of time without its figure"
    return None


# --- labels -------------------------------------------------------------------------------------

_LABEL_OF: Final = {frozenset(content(words_of(text))): name for name, text in PHRASES.items()}


def _beside_label(
    unit: Unit, said: list[tuple[str, str]], own: list[Token], by: Saying
) -> str | None:
    claim = by.claim
    zero = _is_none(by)
    loose = _directions(claim) | (NOTHING if zero else frozenset())
    if isinstance(claim, StateClaim | OrderClaim | ChangeClaim):
        loose |= MOVES
    name = by.about.removeprefix("signal:")
    known = frozenset(content(words_of(PHRASES.get(name, ""))))
    if any(
        raw not in loose and w not in (known if raw in CRITICAL else by.words) for raw, w in said
    ):
        return _UNKNOWN
    numbered = any(t.figure and t.figure.sort is Sort.NUMBER for t in unit.tokens)
    if zero and not numbered and not any(raw in NOTHING for raw, _ in said):
        return "that there was none is not said"
    nouns = {canonical(t.text) for t in unit.tokens if t.kind is Kind.NOUN}
    words = frozenset(word for raw, word in said if raw not in loose) | nouns
    if not own and (reason := _another_label(words, known, name)):
        return reason
    if name.startswith(("log:", "count:log:")) and (reason := _another_service(unit, name)):
        return reason
    if isinstance(claim, StateClaim):
        return _unsaid_state(unit, own, claim)
    if isinstance(claim, ChangeClaim) and claim.signal.startswith("config:"):
        return _values_turned(unit, claim)
    return None


def _is_none(by: Saying) -> bool:
    if isinstance(by.claim, CountClaim):
        return by.claim.count == 0
    return any(part is Part.VALUE and value == 0 for part, value, _ in by.numbers)


def _directions(claim: Claim) -> frozenset[str]:
    """The words for the way that a change went."""
    if isinstance(claim, ChangeClaim) and claim.direction is not Direction.SAME:
        return ROSE if claim.direction is Direction.ROSE else FELL
    return frozenset()


def _another_label(words: frozenset[str], known: frozenset[str], name: str) -> str | None:
    """Whether the words name another signal rather than this one, or leave out what sets this one
    apart."""
    for other, signal in _LABEL_OF.items():
        named = words == other or (bool(words) and words <= other and not words <= known)
        if named and signal != name and _may_be_taken_for(signal, name):
            return "the words name another signal"
    if not {w for w in known if w in CRITICAL or w in SETS_APART} <= words:
        return "a word is left out that sets it apart"
    return None


def _may_be_taken_for(signal: str, name: str) -> bool:
    """Whether two signals have figures of one dimension; else the figure tells them apart."""
    own, other = unit_of(name), unit_of(signal)
    return own is None or other is None or dimension_of(own)[0] == dimension_of(other)[0]


def _another_service(unit: Unit, name: str) -> str | None:
    """Whether the process whose log it is, is not said."""
    service = name.removeprefix("count:").removeprefix("log:").partition("/")[0]
    said = {part for t in unit.tokens for part in (t.text, *t.text.split(" "))}
    if service == "*" or set(parts(service)) <= said:
        return None
    return "a word is left out that sets it apart"


def _unsaid_state(unit: Unit, own: list[Token], claim: StateClaim) -> str | None:
    """Whether the state is not said, or is said of another subject."""
    if not own:
        return "the state is not said"
    words = {t.text for t in unit.tokens if t.kind is Kind.WORD}
    subject = claim.subject.partition(":")[0]
    for other, theirs in SUBJECT_WORDS.items():
        if other != subject and words & theirs:
            return "the state is that of something else"
    needed = {
        "service": {claim.subject.partition(":")[2]},
        "band": SUBJECT_WORDS["band"],
    }.get(subject)
    return "the state is that of something else" if needed and not words & needed else None


def _not_from_there(unit: Unit, index: int, sayings: tuple[Saying, ...]) -> str | None:
    """Whether a unit that tells where a state came from tells another one, or the way back."""
    claim = sayings[index].claim
    if not isinstance(claim, StateClaim):
        return None
    told = [at for at, t in enumerate(unit.tokens) if t.kind is Kind.LABEL]
    own = next(at for at in told if index in unit.tokens[at].by)
    for at in told:
        token, cue = unit.tokens[at], "".join(t.text for t in unit.tokens[max(at - 1, 0) : at])
        others = [sayings[i].claim for i in sorted(token.by - {index})]
        before = [c for c in others if isinstance(c, StateClaim) and c.until == claim.since]
        if index not in token.by and (at > own or not before or cue not in ("from", "of")):
            return "the states are not those of the change"
    return None


def _values_turned(unit: Unit, claim: ChangeClaim) -> str | None:
    """Whether values that are no numbers stand in each other's place."""
    tokens = unit.tokens
    for value, cue in ((claim.before, "from"), (claim.after, "to")):
        text = spelled_out(value)
        if text is None:
            continue
        stands = any(
            a.text == cue and b.kind is Kind.LABEL and b.text == " ".join(words_of(text))
            for a, b in pairwise(tokens)
        )
        if not stands:
            return "the values are not those of the change"
    return None
