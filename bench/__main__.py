"""`./dev bench [NAME…] [--json]`: measure, beside a reference measured in the same run.

A benchmark is a module of this folder with a function `run()`, which yields one `Mapping` per
figure with the keys `name`, `value`, `unit`, `reference`, `reference_value`. `ratio` = value /
reference_value is added here, or left null where there is nothing to compare with. Modules are
found by the names that they yield, as they stand in their source, so that asking for one figure
imports and runs one module.

Figures are never asserted: the aims below are printed for the reader, and a slow machine fails no
build.
"""

from __future__ import annotations

import argparse
import ast
import json
import sys
from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

AIMS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "append_vs_pgbench": "≥ 0.85 of raw pgbench, same table, 100 rows a transaction",
        "append_vs_eventsourcing": "≥ 5 times the eventsourcing library",
        "replay_vs_eventsourcing": "≥ 2 times the eventsourcing library",
        "rebuild_vs_eventsourcing": "≥ 40 times its runner, view of 2,000 rows",
        "readings_durable": "≥ 250,000 readings/s decoded, folded, durable on one core",
        "line_vs_aiokafka": "≥ 0.5 of a bare aiokafka consumer doing the same fold and append",
        "sample_to_event_ms": "p50 and p99 as measured",
        "as_of_ms": "p99 ≤ 20 ms on a million events",
        "recovery_s": "≤ 3 s, the same at 10⁴ and 10⁶ events",
        "clusters_200": "CPU and memory with 1 and 200 clusters at 30 s cadence, as measured",
        "status_ms": "p99 as measured, while folding",
        "config_help_ms": "≤ 300 ms warm, a small multiple of `python -c pass`",
        "config_compile_ms": "≤ 150 ms for the first of a process, imports included",
        "config_10000_s": "≤ 60 s for 10,000 compilations",
        "config_check_ms": "as measured, 700 entries",
        "explain_by_rule_ms_p50": "as measured",
        "transition_to_served_ms": "p99 ≤ 1,000 ms at 50 transitions/s, explainer and projector",
        "explainer_catch_up_per_s": "as measured",
        "trigger_starts_per_s": "≥ 200 workflow starts/s, or what a bare client reaches",
        "explain_by_rule_ms_p99": "≤ 50 ms, diagnosis, words and proof",
    }
)
"""Every figure there is, and what it should be."""

KEYS: Final = ("name", "value", "unit", "reference", "reference_value", "ratio")


def benchmarks() -> dict[str, str]:
    """Figure to the module that measures it, found in the sources without importing them."""
    found: dict[str, str] = {}
    for path in sorted(Path(__file__).parent.glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if any(isinstance(node, ast.FunctionDef) and node.name == "run" for node in tree.body):
            named = {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant)}
            found |= {name: f"bench.{path.stem}" for name in AIMS if name in named}
    return found


def figures_of(module: str) -> Iterable[Mapping[str, Any]]:
    """Run one benchmark module and pass its figures on, each with its ratio."""
    for figure in import_module(module).run():
        beside = figure.get("reference_value")
        ratio = round(figure["value"] / beside, 3) if beside else None
        yield {key: {**figure, "ratio": ratio}.get(key) for key in KEYS}


def main(argv: list[str] | None = None) -> int:
    """Run the named benchmarks, or all; returns the exit code."""
    parser = argparse.ArgumentParser(prog="bench", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(AIMS))
    parser.add_argument("--json", action="store_true", dest="as_json", help="one object a line")
    options = parser.parse_args(argv)
    if unknown := [name for name in options.names if name not in AIMS]:
        parser.error(f"unknown name {', '.join(unknown)}; known: {', '.join(AIMS)}")
    wanted = list(dict.fromkeys(options.names or AIMS))
    measured_by = benchmarks()
    if missing := [name for name in wanted if name not in measured_by]:
        parser.error(f"no module measures {', '.join(missing)}")
    for module in dict.fromkeys(measured_by[name] for name in wanted):
        for figure in figures_of(module):
            if figure["name"] in wanted:
                print(json.dumps(figure) if options.as_json else _line(figure), flush=True)
    return 0


def _line(figure: Mapping[str, Any]) -> str:
    measured = f"{figure['name']}: {figure['value']:,g} {figure['unit']}"
    beside = figure["reference_value"]
    compared = f"; {figure['reference']}: {beside:,g}; ratio {figure['ratio']:g}" if beside else ""
    return f"{measured}{compared}   (aim: {AIMS[figure['name']]})"


if __name__ == "__main__":
    sys.exit(main())
