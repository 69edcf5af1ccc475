"""The pages in `docs/rag/`: tied to the graph of causes, true to the tables, never unsafe."""

from __future__ import annotations

import re
import shlex
from importlib import import_module
from pathlib import Path
from typing import Final

import pytest
import typer
from typer.core import TyperCommand, TyperGroup

from copilot.reference.cli import PROGRAMS
from copilot_core.bottleneck import Bottleneck, WorkerRule
from copilot_core.causes import CAUSES
from copilot_core.logpatterns import PATTERNS_BY_ID
from copilot_core.quantities import QUANTITY
from copilot_core.rules import GATES
from copilot_core.signals import SIGNALS
from copilot_workflows.knowledge.corpus import SHIPPED, corpus_of, pack, read_folder, read_packed
from copilot_workflows.knowledge.pages import Page
from dsql_config.server.registry import load_registry

ROOT: Final = Path(__file__).parents[4]
RAG: Final = ROOT / "docs/rag"
PAGES: Final = read_folder(RAG)
RUNBOOKS: Final = tuple(page for page in PAGES if page.front.cause is not None)

ABOUT_WORKERS: Final = ("workers", "activities", "workflows")
READS: Final = (
    "temporal operator cluster health", "temporal task-queue describe", "temporal workflow list",
    "temporal workflow show", "temporal workflow describe", "temporal workflow count",
    "temporal batch list", "temporal worker deployment list", "temporal schedule list",
)  # fmt: skip
UNDONE: Final = ("temporal schedule toggle", "temporal batch terminate")
"""Commands that change something and can be taken back: a pause, a batch that is begun again."""


def by_path(pages: tuple[Page, ...]) -> pytest.MarkDecorator:
    """A test for each page."""
    return pytest.mark.parametrize("page", pages, ids=lambda page: page.path)


def section(page: Page, heading: str) -> str:
    """The text of a section."""
    return next(s.text for s in page.sections if s.heading == heading)


def lines(page: Page) -> list[str]:
    """Command lines in the page's shell blocks."""
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```$", page.text, re.MULTILINE | re.DOTALL)
    return [line.strip() for block in blocks for line in block.splitlines() if line.strip()]


def test_what_ships_is_what_is_written() -> None:
    """After a change: copilot kb build --only --pages docs/rag --out (the packed file)."""
    assert SHIPPED.read_bytes() == pack(corpus_of(PAGES))
    assert read_packed(SHIPPED).digest == corpus_of(PAGES).digest


def test_every_cause_has_its_runbook_and_no_runbook_is_about_anything_else() -> None:
    """The graph is closed, and so is the shelf: a page for each row, under the row's name."""
    written = {(page.path, page.front.cause) for page in RUNBOOKS}
    assert written == {(f"causes/{cause.runbook}.md", cause.key) for cause in CAUSES}
    assert {p.path for p in PAGES if p.path.startswith("causes/")} == {p.path for p in RUNBOOKS}


def test_there_are_pages_beside_the_runbooks() -> None:
    """How things work is told once, not in every runbook."""
    assert len(PAGES) - len(RUNBOOKS) >= 15


@by_path(PAGES)
def test_sources_are_named(page: Page) -> None:
    """A source is a page of ours that exists, a recorded incident that exists, or public."""
    for source in page.front.sources:
        if source.startswith("recorded incident "):
            name = source.removeprefix("recorded incident ")
            assert (ROOT / f"tests/data/recordings/{name}.jsonl.gz").exists(), source
        else:
            assert source.startswith("https://") or (ROOT / source).exists(), source


@by_path(PAGES)
def test_links_lead_to_the_file(page: Page) -> None:
    """Whoever reads them as files gets there, too: the search goes by the page's name alone."""
    for target in re.findall(r"\]\(([^)\s]+)\)", page.text):
        assert target.startswith("https://") or (RAG / page.path).parent.joinpath(target).is_file()


@by_path(RUNBOOKS)
def test_runbooks_refuse_what_is_unsafe(page: Page) -> None:
    """Three dangers at least are named, and each begins with a refusal."""
    items = re.findall(r"^- (.+)$", section(page, "Unsafe actions"), re.MULTILINE)
    assert len(items) >= 3
    refused = [i for i in items if i.startswith(("Do not", "`NEVER_SCALE_DOWN_AT_ZERO`"))]
    assert len(refused) >= 3


@by_path(RUNBOOKS)
def test_runbooks_about_work_keep_the_scaling_rules(page: Page) -> None:
    """Where workers are short of slots, the rule that no worker is taken away is on the page."""
    about = str(page.front.cause).partition("/")[0]
    if (about == "workers" and page.front.cause != "workers/misrouted") or about == "activities":
        needs = page.front.cause != "activities/failing"
        assert not needs or WorkerRule.NEVER_SCALE_DOWN_AT_ZERO in page.text


@by_path(PAGES)
def test_rules_that_are_named_exist(page: Page) -> None:
    """No invented rule in capitals."""
    shouted = set(re.findall(r"\b[A-Z]+(?:_[A-Z]+){2,}\b", page.text))
    known = {*WorkerRule, "TEMPORAL_SQL_MAX_CONN_LIFETIME"}
    assert shouted <= known


def test_each_scaling_rule_is_explained() -> None:
    """One page tells all four, in headings."""
    rules = next(page for page in PAGES if page.name == "worker-scaling-rules")
    assert {s.heading for s in rules.sections} >= set(WorkerRule)


@by_path(PAGES)
def test_safe_parts_take_no_capacity_away_and_destroy_nothing(page: Page) -> None:
    """Nothing outside the unsafe parts tells to scale down, delete, truncate or restart at once."""
    told = [s for s in page.sections if s.heading in ("Safe actions", "Checks", "What is safe")]
    for sentence in re.split(r"(?<=[.:;])\s", " ".join(s.text for s in told)):
        assert not re.match(
            r"(?:\d+\. )?(?:Scale down|Remove|Delete|Drop|Truncate|Terminate|Reset|Restart all"
            r"|Restart everything|Shorten|Switch off limits)\b",
            sentence,
        ), sentence


@by_path(PAGES)
def test_commands_read_or_can_be_taken_back(page: Page) -> None:
    """Commands of Temporal are from the short list; ours are understood by our programs."""
    for line in lines(page):
        if line.startswith("temporal "):
            assert line.startswith((*READS, *UNDONE)), line
        else:
            understood(line)


def understood(line: str) -> None:
    """One of our programs takes this line."""
    program, *words = shlex.split(line)
    command: object = typer.main.get_command(import_module(PROGRAMS[program]).app)
    while isinstance(command, TyperGroup):
        command = command.commands[words.pop(0)]
    assert isinstance(command, TyperCommand)
    if not any(word.endswith((".yaml", ".yml")) for word in words):  # files that the reader has
        command.make_context(program, words)


@by_path(PAGES)
def test_names_in_backticks_exist(page: Page) -> None:
    """Signals, quantities, gates, log patterns and keys of the server are spelled as they are."""
    signals = {s.name for s in SIGNALS} | set(QUANTITY) | set(PATTERNS_BY_ID)
    options = {
        "max_cached_workflows", "max_concurrent_activities", "worker.SetStickyWorkflowCacheSize",
    }  # fmt: skip
    gates = {gate.id for gate in GATES}
    keys = load_registry("1.32")
    for name in re.findall(r"`([^`\n]+)`", page.text):
        if re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)+", name):
            assert name in signals | options, name
        elif name in options:
            continue
        elif re.fullmatch(r"(history|matching|frontend|worker|system|limit)\.[\w.]+", name):
            assert keys.find(name) is not None, name
        elif re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", name) and not (ROOT / name).exists():
            assert name in gates | {*Bottleneck, "temporal-dsql-config"}, name
