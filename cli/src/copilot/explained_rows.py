"""An explanation for eyes: a headline, a few short paragraphs, and the next step last.

Built from the stored explanation and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from copilot_core.events import ExplanationSource
from copilot_core.explanation import CauseTold, Sentence
from copilot_projections.explained import HYPOTHESIS

if TYPE_CHECKING:
    from rich.console import RenderableType

    from copilot_core.events import Explaining

INDENT: Final = 2


def rows(event: Explaining, *, event_id: str) -> Iterator[RenderableType]:
    """The explanation as it is read; `event_id` is that of the explained event."""
    from rich.text import Text

    told = event.explanation
    yield Text(_said(told.headline), style="bold")
    for title, sentences in (
        ("Since", told.since),
        ("How sure", told.certainty),
        *_causes(told.causes),
        ("How it reaches users", told.path),
        ("What changed before", told.changed_before),
        ("What could not be seen", told.not_seen),
    ):
        yield from _part(title, map(_said, sentences))
    page = told.next_step.runbook
    runbook = [f"Runbook: copilot kb show {page}"] if page else []
    yield from _part("Next step", [told.next_step.action, *told.next_step.rules, *runbook])
    by_model = event.source is ExplanationSource.MODEL
    who = event.model if by_model else "the rules"
    yield Text(f"worded by {who}, about event {event_id}", style="dim")
    if event.stands_because:
        yield Text(f"the words of the rules stand: {event.stands_because}", style="dim")
    for cut in event.cut:
        yield Text(f"not shown, a sentence of {cut.part}: {cut.reason}", style="dim")


def _causes(causes: Iterable[CauseTold]) -> Iterator[tuple[str, tuple[Sentence, ...]]]:
    for n, cause in enumerate(causes, start=1):
        yield f"Cause {n}, {cause.component} {cause.kind}", cause.sentences


def _said(sentence: Sentence) -> str:
    return f"{HYPOTHESIS if sentence.hypothesis else ''}{sentence.text}"


def _part(title: str, lines: Iterable[str]) -> Iterator[RenderableType]:
    from rich.padding import Padding
    from rich.text import Text

    shown = list(lines)
    if shown:
        yield Text(title, style="underline")
        for line in shown:
            yield Padding(Text(line), (0, 0, 0, INDENT), expand=False)
