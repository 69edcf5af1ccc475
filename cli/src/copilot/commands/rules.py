"""`copilot rules`: the tables that decide, as an installation reads them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from copilot.commands.options import AsJson, Rules
from copilot.terminal import emit, note, show_table

if TYPE_CHECKING:
    from copilot_core.rules import Condition, Gate

app = typer.Typer(help="The gates and thresholds that decide.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keeps `show` a command of its own: a group of one would swallow the name."""


@app.command(epilog="Example: copilot rules show --rules overlay.toml --json")
def show(rules: Rules = None, as_json: AsJson = False) -> None:
    """Show every gate with its thresholds per scale band, and the digest of the pack.

    With --rules the overlay is checked and applied first; all its mistakes are reported at once.
    """
    from copilot.rule_files import read_rules

    pack = read_rules(rules)
    if as_json:
        for gate in pack.gates:
            emit(_record(gate))
        emit({"type": "RulePack", "digest": pack.digest, **asdict(pack.settings)})
    else:
        show_table(
            ("gate", "severity", "fires when", *BANDS, "for slots", "recover"),
            (row for gate in pack.gates for row in _rows(gate)),
        )
        figures = ", ".join(f"{name} {value}" for name, value in asdict(pack.settings).items())
        note(f"rule pack {pack.digest}; {figures}")


BANDS = ("starter", "mid", "high")


def _record(gate: Gate) -> dict[str, object]:
    return {
        "type": "Gate",
        "id": gate.id,
        "severity": gate.severity,
        "service": gate.service,
        "meaning": gate.meaning,
        "for_slots": gate.for_slots,
        "recover": gate.recover,
        "scales": gate.scales,
        "conditions": [_condition(c) for c in gate.conditions],
    }


def _condition(condition: Condition) -> dict[str, object]:
    return {
        "quantity": condition.quantity,
        "comparison": condition.comparison,
        "of": condition.of,
        **dict(zip(BANDS, condition.threshold, strict=True)),
    }


def _rows(gate: Gate) -> Iterator[tuple[object, ...]]:
    """A row per condition; the first carries what belongs to the gate."""
    for i, c in enumerate(gate.conditions):
        when = f"{c.quantity} {c.comparison}" + (f" * {c.of}" if c.of else "")
        numbers = (f"{threshold:.4g}" for threshold in c.threshold)
        if i == 0:
            yield gate.id, gate.severity, when, *numbers, gate.for_slots, f"{gate.recover:g}"
        else:
            yield "", "", f"and {when}", *numbers, "", ""
