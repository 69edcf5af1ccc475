"""docs/reference/metrics.md, read out of the sources: every metric that a process of ours exposes.

The definitions are found in the syntax trees, so no process has to be built to list what it says.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from copilot.reference.markdown import code, table

INSTRUMENTS: Final = frozenset({"Counter", "Gauge", "Histogram"})

PROCESS_OF: Final = {
    "copilot_service": "every process",
    "copilot_streams.scrapers": "copilot run scraper",
    "copilot_streams": "copilot run worker",
    "copilot_streams.relay": "copilot run relay",
    "copilot_projections": "copilot run projector",
    "copilot_api": "copilot run api",
    "copilot_workflows.explainer": "copilot run explainer",
    "copilot_workflows.trigger": "copilot run trigger",
    "copilot_workflows": "copilot run agents",
}
"""Which process exposes what a package defines; the longest name counts."""

HEAD: Final = """# Metrics

Each process answers `/metrics` on `COPILOT_SERVICE_HOST` and `COPILOT_SERVICE_PORT`; the API
answers it beside its own routes. The usual `process_*` metrics are there, too. What to do when one
of them rises stands in [operations](../operations.md).
"""


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric: where it is defined, what kind it is, what it says, its labels."""

    module: str
    kind: str
    name: str
    meaning: str
    labels: tuple[str, ...]

    @property
    def process(self) -> str:
        """The process that exposes it."""
        known = [p for p in PROCESS_OF if f"{self.module}.".startswith(f"{p}.")]
        return PROCESS_OF[max(known, key=len)]


def render() -> str:
    """The page."""
    metrics = sorted(defined(), key=lambda m: m.name)
    sections = []
    for process in PROCESS_OF.values():
        rows = [
            (code(m.name), m.kind.lower(), ", ".join(code(n) for n in m.labels), m.meaning)
            for m in metrics
            if m.process == process
        ]
        title = process if process == "every process" else code(process)
        sections.append(f"## {title}\n\n{table(('metric', 'kind', 'labels', 'meaning'), rows)}")
    return "\n".join([HEAD, *sections])


def defined() -> Iterator[Metric]:
    """Every metric that one of our packages defines."""
    for package in sorted({name.partition(".")[0] for name in PROCESS_OF}):
        spec = find_spec(package)
        assert spec is not None
        assert spec.origin is not None
        root = Path(spec.origin).parent
        for path in sorted(root.rglob("*.py")):
            module = ".".join((package, *path.relative_to(root).with_suffix("").parts))
            yield from _in_module(module, path.read_text(encoding="utf-8"))


def _in_module(module: str, source: str) -> Iterator[Metric]:
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(
                func=ast.Name(id=kind),
                args=[ast.Constant(value=str(name)), ast.Constant(value=str(meaning)), *more],
            ) if kind in INSTRUMENTS:
                labels = more[0].elts if more and isinstance(more[0], ast.List) else []
                names = tuple(str(e.value) for e in labels if isinstance(e, ast.Constant))
                yield Metric(module, kind, name, meaning, names)
