"""Pieces of sentences: words with the claims that they make, put together into a sentence.

A piece never says more than its claims. `sentence` joins pieces and plain words; plain words are
glue and name nothing that could be wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from copilot_core.causes import CAUSE, MECHANISMS
from copilot_core.events import GateFinding, RankedCause, SignSeen
from copilot_core.explanation import (
    AbsenceClaim,
    CauseLinkClaim,
    ChangeClaim,
    Claim,
    ComparisonClaim,
    CountClaim,
    Direction,
    LinkRole,
    OrderClaim,
    Sentence,
    StateClaim,
    ValueClaim,
)
from copilot_core.readings import Missing
from copilot_core.signs import SIGN
from copilot_core.values import Scalar
from copilot_core.words.phrases import phrase
from copilot_core.words.stretches import Stretch
from copilot_core.words.wording import against, duration, moment, number


@dataclass(frozen=True, slots=True)
class Piece:
    """Words and what they claim."""

    text: str
    claims: tuple[Claim, ...] = ()


def sentence(*parts: str | Piece) -> Sentence:
    """One sentence: parts as they stand, a capital first letter, a full stop."""
    pieces = [Piece(part) if isinstance(part, str) else part for part in parts]
    text = "".join(piece.text for piece in pieces)
    claims = dict.fromkeys(claim for piece in pieces for claim in piece.claims)
    return Sentence(text=f"{text[:1].upper()}{text[1:]}.", claims=tuple(claims))


# --- numbers ------------------------------------------------------------------------------------


def gate_compared(gate: GateFinding, *, at: int, event: UUID) -> Piece:
    """What a gate compared, and the side it was on."""
    below = gate.value < gate.threshold
    side = "below" if below else "at or above"
    claim = ComparisonClaim(
        signal=gate.signal,
        value=gate.value,
        comparison="<" if below else ">=",
        threshold=gate.threshold,
        unit=gate.unit,
        at=at,
        events=(event,),
    )
    value, threshold = against(gate.value, gate.threshold, gate.unit)
    text = f"{phrase(gate.signal)}: {value}, {side} the threshold of {threshold}"
    return Piece(text, (claim,))


def sign_compared(sign: SignSeen, *, event: UUID) -> Piece:
    """A sign in words, what was read, and the figure it was compared with."""
    claim = ComparisonClaim(
        signal=sign.id,
        value=sign.value,
        comparison="<" if sign.comparison == "<" else ">=",
        threshold=sign.threshold,
        unit=sign.unit,
        at=sign.at,
        events=(event,),
    )
    value, threshold = against(sign.value, sign.threshold, sign.unit)
    where = "in the logs, " if sign.signal.startswith("log:") else ""
    text = f"{where}{SIGN[sign.id].says}: {value}, threshold {threshold}"
    return Piece(text, (claim,))


def value_was(name: str, value: float, unit: str, *, at: int, event: UUID) -> Piece:
    """What a signal or a quantity read."""
    claim = ValueClaim(signal=name, value=value, unit=unit, at=at, events=(event,))
    return Piece(f"{phrase(name)}: {number(value, unit)}", (claim,))


def changed(
    name: str,
    before: Scalar | None,
    after: Scalar | None,
    unit: str,
    *,
    from_at: int,
    to_at: int,
    events: tuple[UUID, ...],
    text: str,
) -> Piece:
    """That something has another value than before."""
    numbers = [v for v in (before, after) if isinstance(v, (int, float))]
    direction = Direction.SAME
    if len(numbers) == 2 and numbers[0] != numbers[1]:
        direction = Direction.ROSE if numbers[1] > numbers[0] else Direction.FELL
    claim = ChangeClaim(
        signal=name,
        before=before,
        after=after,
        unit=unit,
        direction=direction,
        from_at=from_at,
        to_at=to_at,
        events=events,
    )
    return Piece(text, (claim,))


def counted(
    of: str, count: int, *, from_at: int, to_at: int, events: tuple[UUID, ...], text: str
) -> Piece:
    """How often something occurred."""
    claim = CountClaim(of=of, count=count, from_at=from_at, to_at=to_at, events=events[:8])
    return Piece(text, (claim,))


# --- states and times ---------------------------------------------------------------------------


def state_was(subject: str, stretch: Stretch, text: str) -> Piece:
    """That something was in a state for a stretch of time."""
    claim = StateClaim(
        subject=subject,
        state=stretch.state,
        since=stretch.since,
        until=stretch.until,
        events=(stretch.shown_by,),
    )
    return Piece(text, (claim,))


def from_to(stretch: Stretch, *, seen_from: int) -> str:
    """A stretch in words: from when to when and how long, or since when."""
    since = moment(stretch.since, seen_from=seen_from)
    if stretch.until is None:
        return f"since {since}"
    until = moment(stretch.until, seen_from=seen_from)
    return f"from {since} to {until}, {duration(stretch.until - stretch.since)}"


def order(first: UUID, then: UUID, seconds: int, text: str) -> Piece:
    """That one event came before another."""
    return Piece(text, (OrderClaim(first=first, then=then, seconds=seconds, events=(first, then)),))


def unread(name: str, missing: Missing, *, at: int, event: UUID) -> Piece:
    """That a signal could not be read, and why."""
    claim = AbsenceClaim(signal=name, reason=missing.value, at=at, events=(event,))
    return Piece(f"{phrase(name)}: {missing.value}", (claim,))


# --- causes -------------------------------------------------------------------------------------


def link(cause: RankedCause, role: LinkRole, id_: str, *, event: UUID) -> CauseLinkClaim:
    """That the graph links a ranked cause to a sign or a mechanism."""
    return CauseLinkClaim(
        component=cause.component, kind=cause.kind, role=role, link=id_, events=(event,)
    )


def cause_named(cause: RankedCause, *, event: UUID) -> Piece:
    """A cause in words."""
    said = CAUSE[f"{cause.component}/{cause.kind}"].says
    return Piece(said, (link(cause, LinkRole.NEEDS, "", event=event),))


def mechanism_named(cause: RankedCause, id_: str, *, event: UUID) -> Piece:
    """A step from a cause to what users feel, in words."""
    return Piece(MECHANISMS[id_], (link(cause, LinkRole.MECHANISM, id_, event=event),))
