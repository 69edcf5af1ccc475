"""Small pages for tests."""

from __future__ import annotations

from copilot_workflows.knowledge.corpus import Corpus, corpus_of
from copilot_workflows.knowledge.pages import RUNBOOK_SECTIONS, Page, parse


def text_of(title: str, body: str = "", *, cause: str = "", summary: str = "In short.") -> str:
    """A page as it is written."""
    front = [f"title: {title}", f"summary: {summary}", "sources:", "  - docs/glossary.md"]
    if cause:
        front.append(f"cause: {cause}")
    return "\n".join(["---", *front, "---", "", f"# {title}", "", body, ""])


def page(path: str, title: str, body: str = "", *, cause: str = "", summary: str = "") -> Page:
    """A page that reads well."""
    return parse(path, text_of(title, body, cause=cause, summary=summary or f"About {title}."))


def runbook(cause: str, title: str, words: str = "as usual") -> Page:
    """A runbook with every section."""
    body = "\n\n".join(f"## {heading}\n\n{words}" for heading in RUNBOOK_SECTIONS)
    return page(f"{cause.replace('/', '-').replace('_', '-')}.md", title, body, cause=cause)


FRUIT: Corpus = corpus_of(
    [
        page("apples.md", "Apples", "Red and round.\n\n## Storage\n\nCool cellars keep them."),
        page("pears.md", "Pears", "Green and long.\n\n## Storage\n\nThey bruise; no cellars."),
        runbook("workers/absent", "Nobody picks", "The orchard is empty of pickers."),
    ]
)
"""Three pages about different things."""
