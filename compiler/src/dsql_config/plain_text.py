"""Plain text for people: labelled lines in blocks, blocks on a page, values with their units."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from copilot_core.configuration import TelemetryBound
from copilot_core.values import Scalar
from dsql_config.findings import Finding
from dsql_config.formulas import show

INDENT: Final = "  "


def shown(value: Scalar, unit: str) -> str:
    """A value with its unit."""
    return f"{show(value)} {unit}".rstrip()


def bound_text(bound: TelemetryBound) -> str:
    """A telemetry bound in words."""
    low, high = bound.minimum, bound.maximum
    if low is not None and low == high:
        span = f"exactly {show(low)}"
    else:
        sides = (("at least", low), ("at most", high))
        span = ", ".join(f"{side} {show(edge)}" for side, edge in sides if edge is not None)
    return f"{bound.signal} {span} {bound.unit}: {bound.why}"


def finding_text(finding: Finding) -> str:
    """A finding's key, message and suggestion."""
    hint = f"; {finding.suggestion}" if finding.suggestion else ""
    return f"{finding.key}: {finding.message}{hint}"


def block(title: str, labelled: Iterable[tuple[str, str]]) -> str:
    """A titled block of labelled lines."""
    return f"{title}\n{rows(labelled)}"


def rows(labelled: Iterable[tuple[str, str]]) -> str:
    """Labels in a column of their own; further lines of a text stand below its first."""
    labelled = tuple(labelled)
    width = max((len(label) for label, _ in labelled), default=0)
    gap = width + 2 if width else 0
    return "\n".join(
        f"{INDENT}{label:<{gap}}{line}".rstrip() if number == 0 else f"{INDENT}{'':<{gap}}{line}"
        for label, text in labelled
        for number, line in enumerate(text.split("\n"))
    )


def page(*parts: str) -> str:
    """Parts with an empty line between them, ending in a line feed."""
    return "\n\n".join(parts) + "\n"
