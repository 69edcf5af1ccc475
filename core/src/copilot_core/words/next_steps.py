"""The safe next step: the rules' alone, from the table of causes, never from a model.

The step of what is still seen comes first. Where the cause is gone, or was never found, it is what
is safe in that state. The worker scaling rules that hold now stand beside it.
"""

from __future__ import annotations

from typing import Final

from copilot_core.bottleneck import ADVICE, WorkerRule
from copilot_core.causes import CAUSE
from copilot_core.explanation import NextStep
from copilot_core.values import Evidence, Status
from copilot_core.words.story import Moment, Story

_ACTIONS_TOLD: Final = 2
"""Causes whose step is told: two at once are rare, more have never been recorded."""
_WATCH: Final = "Nothing has to be done; see that it stays like this."
_RECOVERING: Final = (
    "Change nothing while what piled up is worked off; "
    "follow the runbook if it does not get better."
)
_UNKNOWN: Final = (
    "See what the figures above are about and what changed before; causes are looked for anew in "
    "every slot, so change nothing before one is found."
)
_BLIND: Final = "Make the missing signals visible first; change nothing in the cluster meanwhile."


def next_step(story: Story) -> NextStep:
    """The step of the likeliest cause that is still seen; without one, the step for the moment."""
    rules = tuple(
        f"{rule}: {ADVICE[WorkerRule(rule)]}"
        for rule in (story.verdict.advice if story.verdict else ())
    )
    rows = [CAUSE[f"{c.component}/{c.kind}"] for c in story.causes]
    acting = [row for row, c in zip(rows, story.causes, strict=True) if c.now][:_ACTIONS_TOLD]
    if acting:
        first, *others = (row.action for row in acting)
        action = " ".join((first, *(f"Beside that: {a[:1].lower()}{a[1:]}" for a in others)))
        return NextStep(action=action, runbook=acting[0].runbook, rules=rules)
    runbook = rows[0].runbook if rows else ""
    blind = story.evidences[-1].state == Evidence.BLIND
    if story.status is Status.HAPPY and not blind:
        return NextStep(action=_WATCH, runbook=runbook, rules=rules)
    if story.moment is Moment.BETTER or rows:
        return NextStep(action=_RECOVERING, runbook=runbook, rules=rules)
    return NextStep(action=_BLIND if blind else _UNKNOWN, rules=rules)
