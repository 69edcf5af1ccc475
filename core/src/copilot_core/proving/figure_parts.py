"""The figures of a unit, each in the part that it plays in the claim that bears the unit.

Theory of operation. The words before a figure, back to the figure or the phrase before it, tell its
part: after *threshold* or *above* stands a threshold, after *since* a beginning. A figure fits when
the claim has that value in that part. How long one event was before another is the business of
order claims: they may help, when they order the very events that the bearing claim cites.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from copilot_core.explanation import ChangeClaim, ComparisonClaim, OrderClaim
from copilot_core.proving.lexicon import ABOVE, BELOW, MOVES, REACHED, THRESHOLD_WORDS, canonical
from copilot_core.proving.sayings import Part, Saying, events_of
from copilot_core.proving.text_units import Kind, Unit, is_content
from copilot_core.words.figures import Figure, Sort

_ABOVE_OR_AT: Final = "at-or-above"
_SINCE: Final = frozenset({"since", "from", "between", "starting", "began", "beginning", "started"})
_UNTIL: Final = frozenset({"to", "until", "till", "ended"})
_AT: Final = frozenset({"at", "on", "in", "then", "when"})
_EARLIER: Final = frozenset({"before", "earlier", "ago", "prior"})
_BEFORE_IT: Final = _EARLIER | {"before-that"}
"""After a figure: the turn, too."""
_LATER: Final = frozenset({"after", "later"})
_LASTED: Final = frozenset({"lasted", "lasts", "lasting", "took", "for"})
_CUES: Final = _SINCE | _UNTIL | _AT | _EARLIER | _LATER | {"by", "for", "and"}


def unborne_figure(unit: Unit, by: Saying, sayings: tuple[Saying, ...]) -> str | None:
    """The figure of a unit that a claim does not bear, as a reason; None when it bears all."""
    clocks = [i for i in unit.figures if _figure(unit, i).sort is Sort.CLOCK]
    for at in unit.figures:
        figure = _figure(unit, at)
        match figure.sort:
            case Sort.NUMBER:
                fits = _number_fits(unit, at, by) or _order_fits(unit, at, by, sayings)
            case Sort.CLOCK:
                fits = _clock_fits(unit, at, by, clocks)
            case Sort.DAY:
                fits = any(figure.is_at(t) for _, t in by.times)
        if not fits:
            return "figure: no claim has it in this part"
    return None


def _figure(unit: Unit, at: int) -> Figure:
    figure = unit.tokens[at].figure
    assert figure is not None
    return figure


def _before(unit: Unit, at: int) -> list[str]:
    """The words directly before a figure, nearest first, back to the next thing that says
    something."""
    found: list[str] = []
    for token in reversed(unit.tokens[:at]):
        if token.kind in (Kind.FIGURE, Kind.FACT, Kind.LABEL, Kind.MARK):
            break
        if token.kind is Kind.WORD and is_content(token.text) and token.text not in MOVES:
            break
        found.append(token.text)
    return found


def _after(unit: Unit, at: int) -> str:
    """The word directly after a figure and what it counts."""
    following = [t.text for t in unit.tokens[at + 1 : at + 3] if t.kind is not Kind.NOUN]
    return following[0] if following else ""


def runs_of(unit: Unit) -> frozenset[int]:
    """Where the words stand that go with a figure: those directly before it, and the one after."""
    found: set[int] = set()
    for at in unit.figures:
        found |= set(range(at - len(_before(unit, at)), at))
        if _figure(unit, at).sort is not Sort.NUMBER:
            continue
        following = at + 1
        if following < len(unit.tokens) and unit.tokens[following].kind is Kind.NOUN:
            following += 1
        found.add(following)
    return frozenset(found)


def _cue(words: list[str]) -> str:
    """The word that tells which time a time of day is; empty without one."""
    return next((w for w in words if w in _CUES), "")


# --- numbers ------------------------------------------------------------------------------------


def _number_fits(unit: Unit, at: int, by: Saying) -> bool:
    figure, words, after = _figure(unit, at), _before(unit, at), _after(unit, at)
    parts = set(_parts(words, after, by))
    noun = _noun(unit, at)
    return any(
        part in parts and figure.means(v, of) and noun in ("", canonical(of))
        for part, v, of in by.numbers
    )


def _noun(unit: Unit, at: int) -> str:
    """What a bare number counts, where the word stands beside it."""
    following = unit.tokens[at + 1 : at + 2]
    return canonical(following[0].text) if following and following[0].kind is Kind.NOUN else ""


def _parts(words: list[str], after: str, by: Saying) -> Iterator[Part]:
    """The parts that a number between these words can play."""
    above = any(w in ABOVE for w in words)
    at_or_above = _ABOVE_OR_AT in words
    below = any(w in BELOW for w in words)
    held = any(w in THRESHOLD_WORDS for w in words) or after in ("threshold", "limit")
    reached = held and any(w in REACHED for w in words)
    if above or at_or_above or below or reached:
        if side_holds(by, above=above, at_or_above=at_or_above or reached, below=below):
            yield Part.THRESHOLD
        return
    if held:
        yield Part.THRESHOLD
        return
    if after in _BEFORE_IT or after in _LATER:
        return
    yield Part.LASTED
    if any(w in _EARLIER or w in _LATER for w in words):
        return  # `after 5 min` of something; any other time between is an order's
    yield Part.VALUE
    cue = _cue(words)
    if cue == "from":
        yield Part.BEFORE
    if cue == "to":
        yield Part.AFTER


def side_holds(by: Saying, *, above: bool, at_or_above: bool, below: bool) -> bool:
    """Whether a comparison in words is the one that is claimed."""
    claim = by.claim
    if not isinstance(claim, ComparisonClaim):
        return False
    if below:
        return claim.comparison == "<" and not (above or at_or_above)
    if at_or_above:
        return claim.comparison == ">="
    return claim.comparison == ">=" and claim.value > claim.threshold


def _order_fits(unit: Unit, at: int, by: Saying, sayings: tuple[Saying, ...]) -> bool:
    """Whether an order claim about the events that `by` cites has this time between them."""
    figure, words, after = _figure(unit, at), _before(unit, at), _after(unit, at)
    for order in sayings:
        claim = order.claim
        if not isinstance(claim, OrderClaim) or not figure.means(claim.seconds, "s"):
            continue
        if order is by:  # what is told of it is its first event
            return after in _BEFORE_IT or any(w in _LASTED for w in words)
        earlier = after in _BEFORE_IT and claim.first in events_of(by.claim)
        later = after in _LATER or "after" in words
        if earlier or (later and claim.then in events_of(by.claim)):
            return True
    return False


# --- times --------------------------------------------------------------------------------------


def _clock_fits(unit: Unit, at: int, by: Saying, clocks: list[int]) -> bool:
    words = _before(unit, at)
    figure, cue = _figure(unit, at), _cue(words)
    parts: set[Part] = set()
    if any(w in ABOVE or w in BELOW or w in _EARLIER or w in _LATER for w in words):
        return False
    if cue in _SINCE:
        parts.add(Part.SINCE)
    elif cue in _UNTIL or (cue == "and" and len(clocks) > 1 and at == clocks[-1]):
        parts.add(Part.UNTIL)
    elif cue in _AT or cue == "":
        parts.add(Part.AT)
        if isinstance(by.claim, ChangeClaim) and len(clocks) > 1:
            parts = {Part.SINCE} if at == clocks[0] else {Part.UNTIL}
    return any(part in parts and figure.is_at(t) for part, t in by.times)
