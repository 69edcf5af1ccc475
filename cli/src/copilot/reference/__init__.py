"""Reference pages, written from the code itself: `copilot docs build` writes, a test compares.

Each page is rendered as Markdown from the table or the program that it is about, so a page cannot
say something else than the code does. To add a page, add a file with `render()` and a row of
`PAGES`; a member that stands by itself renders its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Final

PAGES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "signals.md": "copilot.reference.signals",
        "rules.md": "copilot.reference.rules",
        "causes.md": "copilot.reference.causes",
        "events.md": "copilot.reference.events",
        "settings.md": "copilot.reference.settings",
        "metrics.md": "copilot.reference.metrics",
        "cli.md": "copilot.reference.cli",
        "api.md": "copilot.reference.api",
        "parameters.md": "dsql_config.reference:parameters",
        "presets.md": "dsql_config.reference:presets",
        "guard-rails.md": "dsql_config.reference:guard_rails",
    }
)
"""File name to the module that renders it, and its function where that is not `render`. Imported
when asked for: some import a whole process."""

NOTICE: Final = "<!-- Written by `copilot docs build`; change the code, not this page. -->\n\n"


def render(page: str) -> str:
    """The text of one page of `PAGES`."""
    module, _, function = PAGES[page].partition(":")
    write: Callable[[], str] = getattr(import_module(module), function or "render")
    return NOTICE + write().rstrip() + "\n"


def build(folder: Path) -> list[Path]:
    """Write all pages into a folder; returns those whose text changed."""
    folder.mkdir(parents=True, exist_ok=True)
    changed = []
    for page in PAGES:
        path, text = folder / page, render(page)
        if _text(path) != text:
            path.write_text(text, encoding="utf-8")
            changed.append(path)
    return changed


def stale(folder: Path) -> list[str]:
    """Names of the pages in a folder that differ from what `build` would write."""
    return [page for page in PAGES if _text(folder / page) != render(page)]


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None
