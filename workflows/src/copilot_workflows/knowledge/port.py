"""What a knowledge base can do, whoever keeps it.

Two implementations, `LocalKnowledge` and `BedrockKnowledge`, and one conformance suite
(`tests/unit/workflows/knowledge/conformance.py`). A caller gets passages of pages, best page first,
never more than one passage of a page, and text of bounded length. Where nothing fits, words find
nothing and vectors find what is least far: an answer is a pointer to read, never a fact. Both calls
may be made any number of times.
"""

from __future__ import annotations

from typing import Annotated, Final, Protocol

from pydantic import BaseModel, ConfigDict, Field

from copilot_core.errors import Rejected

MAX_QUESTION_CHARS: Final = 1_000
MAX_LIMIT: Final = 20
MAX_PASSAGE_CHARS: Final = 2_000


class Passage(BaseModel):
    """The part of a page that answers a question best.

    `summary` is the page in a sentence or two, `text` the part; `section` is the heading it
    stands under, empty for the beginning of the page; `cause` is set on the runbook of a cause;
    `score` orders passages of one answer and means nothing beyond it.
    """

    model_config = ConfigDict(frozen=True)

    page: str
    title: str
    summary: str
    section: str
    text: Annotated[str, Field(max_length=MAX_PASSAGE_CHARS)]
    score: float
    cause: str | None = None


class Synced(BaseModel):
    """What a sync did: the pages it stands at now, and how many it had to carry."""

    model_config = ConfigDict(frozen=True)

    digest: str
    pages: int
    changed: int


class Knowledge(Protocol):
    """A knowledge base."""

    async def search(self, question: str, *, limit: int = 3) -> tuple[Passage, ...]:
        """The passages that answer a question best, best first.

        Raises `Rejected` for a question or a limit out of bounds, `Unavailable` when the base does
        not answer.
        """
        ...

    async def sync(self) -> Synced:
        """Make the base hold exactly the pages of the corpus; once done, again does nothing.

        Raises `Rejected` when a page is refused, `Unavailable` when the base does not answer or
        does not get ready in time.
        """
        ...


def checked(question: str, limit: int) -> str:
    """A question that may be asked: without blanks around it, neither empty nor too long."""
    asked = " ".join(question.split())
    if not 0 < len(asked) <= MAX_QUESTION_CHARS:
        raise Rejected(
            f"a question has 1 to {MAX_QUESTION_CHARS} characters, this one {len(asked)}",
            where="question",
        )
    if not 1 <= limit <= MAX_LIMIT:
        raise Rejected(f"from 1 to {MAX_LIMIT} passages, not {limit}", where="limit")
    return asked


def bounded(text: str) -> str:
    """A passage's text within its bound, cut at the end of a line where there is one."""
    if len(text) <= MAX_PASSAGE_CHARS:
        return text
    cut = text[: MAX_PASSAGE_CHARS - 2]
    return cut[: cut.rfind("\n") if "\n" in cut else None].rstrip() + " …"
