"""One explanation by a model, here and now: no workflow, no ledger, nothing is recorded.

For a person at a terminal, who asks for it and pays for it; the limits of one call hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from copilot_core.errors import Rejected
from copilot_core.words.book import Book
from copilot_core.words.explainer import explain, review
from copilot_workflows.agents.answers import Worded, worded
from copilot_workflows.agents.compose import compose
from copilot_workflows.agents.evidence import request_of
from copilot_workflows.agents.requests import TextKind
from copilot_workflows.agents.settings import ModelSettings
from copilot_workflows.agents.tools import sources_are
from copilot_workflows.knowledge.port import Knowledge


@dataclass(frozen=True)
class OneBook:
    """Books of a process that has just this one."""

    held: Book

    async def book(self, cluster: str, explains: UUID, *, at: int) -> Book:
        """See `tools.Books.book`."""
        if (cluster, explains, at) != (self.held.cluster, self.held.explains, self.held.slot):
            raise Rejected(f"there is no book of event {explains}", code="unknown_event")
        return self.held


async def explain_once(
    book: Book,
    *,
    settings: ModelSettings,
    knowledge: Knowledge,
    kind: TextKind = TextKind.TRANSITION,
) -> Worded:
    """The words for the event that the book is about: a model's where they are proven, else those
    of the rules with the reason. Raises `Rejected` for a model that nobody knows."""
    rules = (review if kind is TextKind.INCIDENT else explain)(book, book.explains)
    request = request_of(book, rules, kind=kind, settings=settings)
    with sources_are(OneBook(book), knowledge):
        composed = await compose(request)
    return worded(composed, book=book, rules=rules)
