"""`./dev bench [NAME…] [--json]`: measure, beside a reference measured in the same run.

A benchmark module has `run()`, which yields one `Mapping` per figure with the keys `name`,
`value`, `unit`, `reference`, `reference_value`. `ratio` = value / reference_value is added here, or
left null where a figure has nothing to be compared with. Figures are never asserted: the aims below
are printed for the reader, and a slow machine fails no build.

`FIGURES` is the one list of names: what it means, which module measures it, and the aim.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: where it is measured and what it should be."""

    name: str
    module: str
    aim: str


FIGURES: Final[tuple[Figure, ...]] = (
    Figure(
        "append_vs_pgbench",
        "bench.eventlog_append",
        "≥ 0.85 of raw pgbench, same table, 100 rows a transaction",
    ),
    Figure(
        "append_vs_eventsourcing", "bench.eventlog_append", "≥ 5 times the eventsourcing library"
    ),
    Figure(
        "replay_vs_eventsourcing", "bench.eventlog_replay", "≥ 2 times the eventsourcing library"
    ),
    Figure(
        "rebuild_vs_eventsourcing",
        "bench.projection_rebuild",
        "≥ 40 times its runner, view of 2,000 rows",
    ),
    Figure(
        "readings_durable",
        "bench.line_readings",
        "≥ 250,000 readings/s decoded, folded, durable on one core",
    ),
    Figure(
        "line_vs_aiokafka",
        "bench.line_throughput",
        "≥ 0.5 of a bare aiokafka consumer doing the same",
    ),
    Figure("sample_to_event_ms", "bench.line_latency", "p50 and p99 as measured"),
    Figure("as_of_ms", "bench.projection_as_of", "p99 ≤ 20 ms on a million events"),
    Figure("recovery_s", "bench.line_recovery", "≤ 3 s, the same at 10⁴ and 10⁶ events"),
    Figure(
        "clusters_200",
        "bench.line_clusters",
        "CPU and memory with 1 and 200 clusters at 30 s cadence",
    ),
    Figure("status_ms", "bench.api_status", "p99 as measured, while folding"),
)

KEYS: Final = ("name", "value", "unit", "reference", "reference_value", "ratio")


def figures_of(module: str) -> Iterable[Mapping[str, Any]]:
    """Run one benchmark module and pass its figures on, each with its ratio."""
    for figure in import_module(module).run():
        reference_value = figure.get("reference_value")
        ratio = round(figure["value"] / reference_value, 3) if reference_value else None
        yield {key: {**figure, "ratio": ratio}.get(key) for key in KEYS}


def main(argv: list[str] | None = None) -> int:
    """Run the named benchmarks, or all; returns the exit code."""
    parser = argparse.ArgumentParser(prog="bench", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(f.name for f in FIGURES))
    parser.add_argument(
        "--json", action="store_true", dest="as_json", help="one JSON object a line"
    )
    options = parser.parse_args(argv)
    aims = {f.name: f.aim for f in FIGURES}
    if unknown := [name for name in options.names if name not in aims]:
        parser.error(f"unknown name {', '.join(unknown)}; known: {', '.join(aims)}")
    wanted = set(options.names or aims)
    for module in dict.fromkeys(f.module for f in FIGURES if f.name in wanted):
        for figure in figures_of(module):
            if figure["name"] in wanted:
                print(json.dumps(figure) if options.as_json else _line(figure, aims), flush=True)
    return 0


def _line(figure: Mapping[str, Any], aims: Mapping[str, str]) -> str:
    beside = (
        f"; {figure['reference']}: {figure['reference_value']:,g}"
        if figure["reference_value"]
        else ""
    )
    ratio = f"; ratio {figure['ratio']:g}" if figure["ratio"] is not None else ""
    measured = f"{figure['name']}: {figure['value']:,g} {figure['unit']}"
    return f"{measured}{beside}{ratio}   (aim: {aims[figure['name']]})"


if __name__ == "__main__":
    sys.exit(main())
