"""`copilot kb`: look things up in the runbooks, and look after them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from copilot.commands.options import AsJson
from copilot.terminal import emit, note, run_async

if TYPE_CHECKING:
    from copilot_workflows.knowledge.port import Passage
    from copilot_workflows.knowledge.settings import KnowledgeSettings

app = typer.Typer(
    help="Runbooks and pages about Temporal on DSQL: search, show, build, sync.",
    no_args_is_help=True,
)


@app.command(epilog='Example: copilot kb search "workers are up but nothing moves"')
def search(
    question: Annotated[list[str], typer.Argument(help="what you want to know, in your words")],
    limit: Annotated[
        int, typer.Option("--limit", "-n", min=1, max=20, help="pages at the most")
    ] = 3,
    as_json: AsJson = False,
) -> None:
    """Find the pages that answer a question, best first.

    Searches the shipped pages in memory; COPILOT_KNOWLEDGE_FILE names other ones, and
    COPILOT_KNOWLEDGE_BASE_ID a knowledge base of Bedrock.
    """
    run_async(_search(" ".join(question), limit, as_json))


async def _search(question: str, limit: int, as_json: bool) -> None:
    from copilot_workflows.knowledge.connect import connect

    found = await connect(_settings()).search(question, limit=limit)
    for passage in found:
        if as_json:
            emit({"type": "Passage", **passage.model_dump()})
        else:
            _show(passage)
    if not found:
        note("no page has these words")
    elif not as_json:
        note("copilot kb show PAGE shows a whole page, with what is unsafe")


def _show(passage: Passage) -> None:
    print(f"{passage.page}  {passage.title}" + (f" › {passage.section}" if passage.section else ""))
    if passage.summary:
        print(f"  {passage.summary}\n")
    for line in passage.text.splitlines():
        print(f"    {line}".rstrip())
    print()


@app.command(epilog="Example: copilot kb show workers-absent")
def show(
    page: Annotated[str, typer.Argument(help="name of a page, as search and next steps give it")],
) -> None:
    """Show a whole page."""
    from copilot_core.errors import Rejected
    from copilot_workflows.knowledge.connect import corpus

    pages = corpus(_settings()).by_name
    if page not in pages:
        raise Rejected(
            f"no page is called {page!r}", where="page", todo="copilot kb search finds it by words"
        )
    print(pages[page].body, end="")


@app.command(epilog="Example: copilot kb build --pages our-runbooks --out knowledge.jsonl")
def build(
    pages: Annotated[
        list[Path], typer.Option("--pages", help="folder of pages; may be given several times")
    ],
    out: Annotated[Path, typer.Option("--out", dir_okay=False, help="the packed file to write")],
    only: Annotated[bool, typer.Option("--only", help="leave the shipped pages out")] = False,
    as_json: AsJson = False,
) -> None:
    """Check pages and pack them, together with the shipped ones, into one file.

    A page of yours takes the place of a shipped one with the same name. Pages that hold a secret, a
    query of a metrics backend, a broken link, or a runbook that does not say what is unsafe, are
    refused with every finding, and nothing is written.
    """
    from copilot_workflows.knowledge.corpus import (
        SHIPPED,
        Corpus,
        extended,
        read_folder,
        read_packed,
        write_packed,
    )

    base = Corpus(()) if only else read_packed(SHIPPED)
    packed = extended(base, (page for folder in pages for page in read_folder(folder)))
    write_packed(out, packed)
    told = {"type": "Corpus", "digest": packed.digest, "pages": len(packed.pages), "out": str(out)}
    if as_json:
        emit(told)
    else:
        note(f"{len(packed.pages)} pages, digest {packed.digest[:16]}, written to {out}")


@app.command(epilog="Example: copilot kb sync")
def sync(as_json: AsJson = False) -> None:
    """Make the knowledge base hold exactly the pages in force.

    With Bedrock: pages that changed are carried to the bucket, those that are gone removed, and the
    ingestion is waited for. Without: the pages are read and indexed, which tells that they can be.
    """
    run_async(_sync(as_json))


async def _sync(as_json: bool) -> None:
    from copilot_workflows.knowledge.connect import connect

    synced = await connect(_settings()).sync()
    if as_json:
        emit({"type": "Synced", **synced.model_dump()})
    else:
        note(f"{synced.pages} pages, {synced.changed} of them carried, digest {synced.digest[:16]}")


def _settings() -> KnowledgeSettings:
    from copilot_service.settings import read_settings
    from copilot_workflows.knowledge.settings import KnowledgeSettings

    return read_settings(KnowledgeSettings)
