"""What is said of causes: each with its evidence, the way of the likeliest one to what users feel,
and what cannot be told.

The evidence of a cause is told as local comparisons: what was read beside the figure that the sign
is held to, first what it needs, then what supports it, then what speaks against it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final
from uuid import UUID

from copilot_core.causes import CAUSE
from copilot_core.events import RankedCause, SignSeen
from copilot_core.explanation import (
    MAX_CAUSES,
    MAX_SENTENCES,
    AbsenceClaim,
    CauseTold,
    HypothesisClaim,
    LinkRole,
    Sentence,
)
from copilot_core.phrases import phrase
from copilot_core.said import (
    Piece,
    cause_named,
    link,
    mechanism_named,
    sentence,
    sign_compared,
)
from copilot_core.story import Story
from copilot_core.wording import clock

_SHOWN: Final = 5
"""Signs told per cause: the rest is in the ranking."""


def causes_told(story: Story) -> tuple[CauseTold, ...]:
    """Every ranked cause with its evidence, likeliest first."""
    if story.ranking is None:
        return ()
    told = story.ranking.id
    return tuple(
        CauseTold(
            component=cause.component,
            kind=cause.kind,
            sentences=tuple(islice(_told(story, cause, n, told), MAX_SENTENCES)),
        )
        for n, cause in enumerate(story.causes[:MAX_CAUSES])
    )


def _told(story: Story, cause: RankedCause, n: int, ranking: UUID) -> Iterator[Sentence]:
    said = cause_named(cause, event=ranking)
    yield sentence("likeliest: " if n == 0 else "beside it: ", said)
    row = CAUSE[f"{cause.component}/{cause.kind}"]
    needed = {sign for entry in row.must for sign in entry.split("|")}
    for sign in cause.evidence[:_SHOWN]:
        role = LinkRole.NEEDS if sign.id in needed else LinkRole.SUPPORTS
        yield _sign_told(story, cause, sign, role, ranking)
    for sign in cause.against[:_SHOWN]:
        yield _sign_told(story, cause, sign, LinkRole.AGAINST, ranking)


def _sign_told(
    story: Story, cause: RankedCause, sign: SignSeen, role: LinkRole, ranking: UUID
) -> Sentence:
    then = f"at {clock(sign.at)}, " if sign.at != story.at else ""
    against = "against it: " if role is LinkRole.AGAINST else ""
    return sentence(
        against,
        then,
        sign_compared(sign, event=ranking),
        Piece("", (link(cause, role, sign.id, event=ranking),)),
    )


def path_told(story: Story) -> tuple[Sentence, ...]:
    """The way from the likeliest cause to what users feel, a sentence for each step."""
    if story.ranking is None or not story.causes:
        return ()
    cause, ranking = story.causes[0], story.ranking.id
    steps = [
        mechanism_named(cause, step, event=ranking)
        for step in CAUSE[f"{cause.component}/{cause.kind}"].path
    ]
    said = [sentence(steps[0])]
    said += [sentence("so ", step) for step in steps[1:]]
    return tuple(said)


def cannot_be_told(story: Story) -> Iterator[Sentence]:
    """Which causes could not be told from others, for want of which signal."""
    if story.ranking is None:
        return
    for open_ in story.ranking.event.cannot_tell[:MAX_CAUSES]:
        cause = CAUSE[f"{open_.component}/{open_.kind}"]
        other = CAUSE.get(open_.rather_than or "")
        missing = AbsenceClaim(
            signal=open_.signal,
            reason=open_.missing.value,
            at=story.ranking.at,
            events=(story.ranking.id,),
        )
        guess = HypothesisClaim(
            component=open_.component, kind=open_.kind, events=(story.ranking.id,)
        )
        rather = f", or {other.says}," if other is not None else ""
        yield sentence(
            Piece(
                f"whether {cause.says}{rather} cannot be told: "
                f"{phrase(open_.signal)}, {open_.missing.value}",
                (missing, guess),
            )
        )
