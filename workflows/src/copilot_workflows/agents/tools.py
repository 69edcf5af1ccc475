"""Tools of the researcher: read-only, bounded, and nothing later than the event that is explained.

Theory of operation. A tool knows the event and looks into the book of that event, so what it tells
of the cluster is the same now and a year later. Runbooks are the pages in force when they are asked
for: those that come with the product, or those that the installation packed. A replay runs no tool,
it takes the recorded answer. Every answer is made of the same whole lines as the evidence and
passes the same door. What cannot be had is answered with `no answer`: words can do without a tool.

Where book and corpus come from is said once by whoever starts the process (`sources_are`): an
activity gets a payload and no connection.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, Protocol
from uuid import UUID

from pydantic_ai import RunContext
from pydantic_ai.toolsets import FunctionToolset

from copilot_core.errors import Rejected, Unavailable
from copilot_core.values import Model
from copilot_core.words.book import Book
from copilot_workflows.agents import evidence
from copilot_workflows.knowledge.port import Knowledge

MAX_ANSWER_CHARS: Final = 6_000
MAX_SIGNALS: Final = 8
MAX_SLOTS: Final = 40
MAX_EVENTS: Final = 40
PASSAGES: Final = 2
NO_ANSWER: Final = "no answer"


class Deps(Model):
    """Which event is explained; travels to every tool."""

    cluster: str
    explains: UUID
    as_of: int


class Books(Protocol):
    """Where books come from."""

    async def book(self, cluster: str, explains: UUID, *, at: int) -> Book:
        """The book of an event whose slot is `at`; raises as `copilot_workflows.books` does."""
        ...


_BOOKS: Final[ContextVar[Books]] = ContextVar("books")
_KNOWLEDGE: Final[ContextVar[Knowledge]] = ContextVar("knowledge")


@contextmanager
def sources_are(books: Books, knowledge: Knowledge) -> Generator[None]:
    """Let the tools of everything that is started inside look here."""
    tokens = _BOOKS.set(books), _KNOWLEDGE.set(knowledge)
    try:
        yield
    finally:
        _BOOKS.reset(tokens[0])
        _KNOWLEDGE.reset(tokens[1])


async def readings(ctx: RunContext[Deps], signals: list[str], slots: int = 20) -> str:
    """What signals or quantities read, slot by slot, newest first, up to the explained event.

    Args:
        signals: names as in the evidence, at most 8.
        slots: how many slots to look back, at most 40.
    """
    book = await _book(ctx.deps)
    if book is None:
        return NO_ANSWER
    wanted = list(dict.fromkeys(signals))[:MAX_SIGNALS]
    lines = evidence.readings(
        book, wanted, until=ctx.deps.as_of, slots=min(max(slots, 1), MAX_SLOTS)
    )
    return _bounded(lines)


async def events(ctx: RunContext[Deps], until: int, limit: int = 20) -> str:
    """What was decided or observed up to a time, newest first.

    Args:
        until: Unix seconds; nothing after the explained event is shown.
        limit: how many events, at most 40.
    """
    book = await _book(ctx.deps)
    if book is None:
        return NO_ANSWER
    until = min(until, ctx.deps.as_of)
    lines = evidence.events(
        book, evidence.names_of(book), until=until, limit=min(max(limit, 1), MAX_EVENTS)
    )
    return _bounded(lines)


async def runbooks(ctx: RunContext[Deps], question: str) -> str:
    """Passages of the runbooks that answer a question best: mechanisms, symptoms, checks.

    Args:
        question: in words, or the name of a runbook.
    """
    try:
        found = await _KNOWLEDGE.get().search(question, limit=PASSAGES)
    except (Rejected, Unavailable):
        return NO_ANSWER
    return _bounded(f"# {passage.title}\n{passage.text}" for passage in found)


TOOLS: Final = FunctionToolset[Deps]([readings, events, runbooks], id="evidence")


async def _book(deps: Deps) -> Book | None:
    """The book of the event, None when it cannot be had: words can do without a tool."""
    try:
        return await _BOOKS.get().book(deps.cluster, deps.explains, at=deps.as_of)
    except (Rejected, Unavailable):
        return None


def _bounded(lines: Iterable[str]) -> str:
    return evidence.fitting(lines, MAX_ANSWER_CHARS) or "nothing"
