"""docs/reference/rules.md, from the rule tables."""

from __future__ import annotations

from typing import Final

from copilot.reference.markdown import code, table
from copilot_core.events import Status
from copilot_core.quantities import QUANTITIES
from copilot_core.rules import (
    BAND_EDGES,
    CRITICAL_EVALUATIONS,
    DEFAULT_HISTORY_REPLICAS,
    SERVICES,
    Condition,
    Gate,
    RulePack,
)

HEAD: Final = """# Rules

A gate fires when all its conditions hold; the first condition is the one that is reported. A gate
is clear when one of its conditions cannot hold whatever was not seen, and open otherwise: absence
is not zero. `copilot rules show` prints the pack in force with its digest, which is on every
verdict.

## Overlay

An operator overrides single thresholds in a TOML file, given as `--rules FILE` or
`COPILOT_RULES_FILE`. Only reported thresholds, `for_slots` and the settings can be changed. An
overlay that names an unknown gate, or breaks the order critical before stressed before happy, is
refused with every finding at once.

```toml
[gates.frontend-p99]
starter = 6000      # or mid, high; or all for the three of them
for_slots = 3

[settings]
happy_evaluations = 6
```
"""


def render() -> str:
    """The page."""
    pack = RulePack.default()
    parts = [HEAD, _figures(pack)]
    for severity in (Status.CRITICAL, Status.STRESSED):
        gates = [g for g in pack.gates if g.severity is severity]
        parts.append(
            f"## {severity.value.capitalize()} gates\n\n"
            + table(
                (
                    "gate",
                    "about",
                    "fires when",
                    "starter",
                    "mid",
                    "high",
                    "for slots",
                    "recover",
                    "scales",
                    "meaning",
                ),
                (row for gate in gates for row in _rows(gate)),
            )
        )
    parts.append(
        "## Quantities\n\nWhat the gates compare, worked out from the signals of one slot.\n\n"
        + table(
            ("quantity", "unit", "meaning"), ((code(q.name), q.unit, q.meaning) for q in QUANTITIES)
        )
    )
    return "\n".join(parts)


def _figures(pack: RulePack) -> str:
    edges = "; ".join(
        f"leave downwards at {low:g}, enter upwards at {high:g}" for low, high in BAND_EDGES
    )
    rows = (
        ("evaluations in a row before critical", CRITICAL_EVALUATIONS),
        (
            "clean evaluations in a row before happy: as many as bad ones, at least",
            pack.settings.happy_evaluations_at_least,
        ),
        ("… at most", pack.settings.happy_evaluations),
        ("… and after critical", pack.settings.happy_evaluations_after_critical),
        ("band edges, transitions/s (starter to mid; mid to high)", edges),
        (
            "history replicas the scaled thresholds are meant for",
            ", ".join(f"{n:g}" for n in DEFAULT_HISTORY_REPLICAS),
        ),
        ("services whose health is told beside the status", ", ".join(SERVICES)),
        ("digest of the pack as shipped", code(pack.digest)),
    )
    return "## Figures that belong to no gate\n\n" + table(("figure", "value"), rows)


def _rows(gate: Gate) -> list[tuple[object, ...]]:
    first, *others = gate.conditions
    rows: list[tuple[object, ...]] = [
        (
            code(gate.id),
            gate.service,
            _when(first),
            *_numbers(first),
            gate.for_slots,
            f"{gate.recover:g}" if gate.recover != 1 else "",
            "with replicas" if gate.scales else "",
            gate.meaning,
        )
    ]
    rows += [("", "", f"and {_when(c)}", *_numbers(c), "", "", "", "") for c in others]
    return rows


def _when(condition: Condition) -> str:
    of = f" * {condition.of}" if condition.of else ""
    return f"{condition.quantity} {condition.comparison}{of}"


def _numbers(condition: Condition) -> list[str]:
    return [f"{threshold:.4g}" for threshold in condition.threshold]
