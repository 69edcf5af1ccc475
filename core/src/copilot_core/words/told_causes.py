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
from copilot_core.events import CannotTell, RankedCause, SignSeen
from copilot_core.explanation import (
    MAX_CAUSES,
    MAX_SENTENCES,
    CauseTold,
    HypothesisClaim,
    LinkRole,
    Sentence,
)
from copilot_core.readings import Missing
from copilot_core.words.phrases import phrase
from copilot_core.words.said import (
    Piece,
    cause_named,
    link,
    mechanism_named,
    sentence,
    sign_compared,
    unread,
)
from copilot_core.words.story import Story
from copilot_core.words.wording import moment, share

_SHOWN: Final = 5
"""Signs told per cause: the rest is in the ranking."""
_JOINT: Final = {"users-spared": "yet "}
"""Between two steps of a path stands `so`, before these something else."""


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
    over = "" if cause.now else "no longer seen, "
    score = f", score {share(cause.score)}"
    yield sentence(f"{over}likeliest: " if n == 0 else f"{over}beside it: ", said, score)
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
    when = moment(sign.at, seen_from=story.at)
    then = f"at {when}, " if sign.at != story.at else ""
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
    return tuple(
        sentence(_JOINT.get(step, "so ") if n else "", mechanism_named(cause, step, event=ranking))
        for n, step in enumerate(CAUSE[f"{cause.component}/{cause.kind}"].path)
    )


def cannot_be_told(story: Story) -> Iterator[Sentence]:
    """Which causes could not be told from others, for want of which signal."""
    now = story.book.ranking
    if now is None or now.at != story.at:
        return
    by_want: dict[tuple[str, Missing, str | None], list[CannotTell]] = {}
    for one in now.event.cannot_tell:
        by_want.setdefault((one.signal, one.missing, one.rather_than), []).append(one)
    for (signal, missing, rather_than), causes in by_want.items():
        names = [f"{c.component}/{c.kind}" for c in causes]
        if rather_than is not None:
            names.append(rather_than)
        said = [CAUSE[name].says.partition(";")[0] for name in names]
        lacking = f"without a reading of {phrase(signal)} ({missing.value}), "
        open_ = "these cannot be told apart: " if len(said) > 1 else "it cannot be told whether "
        guesses = tuple(
            HypothesisClaim(component=c.component, kind=c.kind, events=(now.id,)) for c in causes
        )
        absent = unread(signal, missing, at=now.at, event=now.id)
        yield sentence(Piece(f"{lacking}{open_}{'; '.join(said)}", (*absent.claims, *guesses)))
