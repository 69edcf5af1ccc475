"""docs/reference/causes.md, from the graph of causes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from copilot.reference.markdown import code, table
from copilot_core.causes import CAUSES, GRAPH_DIGEST, MECHANISMS, Cause
from copilot_core.diagnosis import (
    AFTERMATH_SLOTS,
    AGAINST,
    CALM_SLOTS,
    FADE,
    GUESS_SLOTS,
    QUIET_SLOTS,
)
from copilot_core.signs import SIGNS

HEAD: Final = """# Causes

What can be the matter, by rule. Nothing is ever named as a cause that is not on this page. A cause
is suspected in a slot when every sign that it needs is seen and none that rules it out; `a or b` is
satisfied by either. Its score is the share of its signs that are seen, of those that can be. Scores
add up over slots. A ranking is recorded with every transition, and in between whenever it says
something else (`CausesRanked`). It moves no status, no gate and no alert.
"""


def render() -> str:
    """The page."""
    return "\n".join([HEAD, _figures(), *(_section(c) for c in CAUSES), _signs()])


def _figures() -> str:
    rows = (
        ("slots without anything wrong after which the trouble is over", QUIET_SLOTS),
        (
            "slots happy in full sight until what is still gone counts as usual",
            CALM_SLOTS,
        ),
        ("share of a cause's weight that is left after a slot", f"{FADE:g}"),
        ("what a sign against a cause takes", f"{AGAINST:g}"),
        (
            "slots after a cause in which what merely follows from it is not believed",
            AFTERMATH_SLOTS,
        ),
        (
            "causes that need at most so many slots are named in their first one while the cluster "
            "is not happy",
            GUESS_SLOTS,
        ),
        ("digest of the graph", code(GRAPH_DIGEST)),
    )
    return table(("figure", "value"), rows)


def _section(cause: Cause) -> str:
    rows = [
        ("needs", "; and ".join(_either(entry) for entry in cause.must)),
        ("ruled out by", _each(cause.unless)),
        ("supported by", _each(cause.supports)),
        ("spoken against by", _each(cause.against)),
        ("reaches users as", ", ".join(MECHANISMS[step] for step in cause.path)),
        ("brings the signs of", _each(cause.brings)),
        ("looks alike in the aftermath of", _each(cause.follows)),
        (
            "seen in",
            f"{cause.slots} slot(s) of 30 s" + (", also while happy" if cause.structural else ""),
        ),
        ("next step", cause.action),
        ("runbook", f"[{cause.runbook}](../rag/causes/{cause.runbook}.md)"),
    ]
    told = table(("", cause.says), ((name, text) for name, text in rows if text))
    return f"## {cause.key}\n\n{told}"


def _either(entry: str) -> str:
    return " or ".join(code(sign) for sign in entry.split("|"))


def _each(entries: Iterable[str]) -> str:
    return ", ".join(_either(entry) for entry in entries)


def _signs() -> str:
    rows = (
        (
            code(s.id),
            s.says,
            code(s.signal),
            f"{s.comparison} {s.threshold:g} {s.unit}",
            code(s.gate),
        )
        for s in SIGNS
    )
    note = (
        "A sign with a gate takes its figure from that gate, in the cluster's scale band; the one "
        "shown is that of the starter band."
    )
    return (
        "## Signs\n\n" + note + "\n\n" + table(("sign", "says", "reads", "seen when", "gate"), rows)
    )
