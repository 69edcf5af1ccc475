"""docs/reference/signals.md, from the signal table and the bundled recordings."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Final

from copilot.demo import BUNDLED
from copilot.reference.markdown import code, table
from copilot_core.readings import Missing
from copilot_core.samples import Sample
from copilot_core.signals import (
    DIALECTS,
    SIGNAL_NAMES,
    SIGNALS,
    Group,
    Installation,
    promql,
)
from copilot_streams.recording import open_recording

PURPOSE: Final = {
    Group.PULSE: "Processes of a role that report now; without any, nothing of it is believed.",
    Group.WITNESS: "One fact seen from several sides: losing one hides no stall and invents none.",
    Group.PRIMARY: "What the gates of the rule table compare with their thresholds.",
    Group.WORKER: "The workers' half: who limits progress, the server or the workers.",
    Group.AMPLIFIER: "They explain a verdict and never decide one.",
}

SHOWN: Final = Installation(server="otel_ms", sdk="core_ms", dsql=True)
WINDOW_S: Final = 60


def render() -> str:
    """The page."""
    parts = [
        "# Signals\n\n"
        "Every signal that is asked of a metrics backend. Only pulses, witnesses and primaries "
        "decide. A signal that nobody can answer on an installation reads `no source`, never "
        "zero.\n\n"
        "Queries are shown for a server with `framework: opentelemetry` (`otel_ms`), a Core SDK "
        f"(`core_ms`) and a rate window of {WINDOW_S} s; `copilot signals show` prints them for "
        "any other dialect and interval. The last column is what the bundled incident read, lowest "
        "to highest: a real server 1.32.1 in these dialects, without the DSQL plugin.\n",
        _dialects(),
        *(_group(group) for group in Group),
    ]
    return "\n".join(parts)


def _dialects() -> str:
    return "## Dialects\n\n" + table(
        ("dialect", "family", "when"),
        ((code(d.id), d.family, d.when) for d in DIALECTS.values()),
    )


def _group(group: Group) -> str:
    rows = [s for s in SIGNALS if s.group is group]
    seen = _seen()
    overview = table(
        ("id", "signal", "unit", "role", "meaning", "void while 0", "seen"),
        (
            (s.id, code(s.name), s.unit, s.role, s.meaning, code(s.counted_by), seen[s.name])
            for s in rows
        ),
    )
    queries = _queries(s.name for s in rows)
    return f"## {group.value.capitalize()}s\n\n{PURPOSE[group]}\n\n{overview}\n{queries}"


@cache
def _seen() -> dict[str, str]:
    """Lowest and highest number of each signal in the bundled incident."""
    with open_recording(BUNDLED) as recording:
        samples = [m for m in recording if isinstance(m, Sample)]
    told = {}
    for name in SIGNAL_NAMES:
        numbers = [r for s in samples if not isinstance(r := s[name], Missing)]
        told[name] = f"{min(numbers):g} to {max(numbers):g}" if numbers else "–"
    return told


def _queries(names: Iterable[str]) -> str:
    wanted = set(names)
    out = []
    for signal in SIGNALS:
        if signal.name in wanted:
            query = promql(signal, SHOWN, WINDOW_S)
            asked = "no source" if query is None else f"\n  ```promql\n  {query}\n  ```"
            out.append(
                f"- `{signal.name}`: {asked}" if query is None else f"- `{signal.name}`{asked}"
            )
    return "\n".join(out) + "\n"
