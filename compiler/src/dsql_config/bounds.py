"""What telemetry is expected to stay within while a configuration is in force.

Theory of operation. One row per bound: the signal by its name in the core's signal table, and a
formula per closed side. The bounds travel with the profile and its event, so that conformance later
judges a cluster by what was promised when the configuration was made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from copilot_core.configuration import TelemetryBound
from copilot_core.values import Scalar
from dsql_config.formulas import Formula


@dataclass(frozen=True)
class Bound:
    """One bound; a side without a formula is open."""

    signal: str
    unit: str
    why: str
    at_least: str | None = None
    at_most: str | None = None

    @cached_property
    def sides(self) -> tuple[Formula | None, Formula | None]:
        """Lower and upper side, parsed."""
        low, high = self.at_least, self.at_most
        return Formula(low) if low else None, Formula(high) if high else None


BOUNDS: Final = (
    Bound("transitions_per_s", "1/s", "more than the target was not planned for",
        at_most="state_transitions_per_s * BURST"),
    Bound("completions_per_s", "1/s", "more than the target was not planned for",
        at_most="workflow_completions_per_s * BURST"),
    Bound("workflow_task_wait_p95_ms", "ms", "the target for waiting tasks", at_most="schedule_to_start_ms"),
    Bound("activity_wait_p95_ms", "ms", "the target for waiting tasks", at_most="schedule_to_start_ms"),
    Bound("persistence_requests_per_s", "1/s", "all history hosts at their limit",
        at_most="history.persistence_max_qps * history_replicas"),
    Bound("history_processes", "processes", "as many as the configuration says",
        at_least="history_replicas", at_most="history_replicas"),
    Bound("matching_processes", "processes", "as many as the configuration says",
        at_least="matching_replicas", at_most="matching_replicas"),
    Bound("frontend_processes", "processes", "as many as the configuration says",
        at_least="frontend_replicas", at_most="frontend_replicas"),
    Bound("worker_processes", "processes", "as many as the configuration says",
        at_least="sdk_workers", at_most="sdk_workers"),
    Bound("pool_used_pct", "%", "above this a burst waits for connections", at_most="80"),
    Bound("connections_opened_per_s", "1/s", "what DSQL accepts and the limiter allows",
        at_most="dsql.cluster_connects_per_s"),
    Bound("workflow_pollers", "pollers", "every worker polling with all its pollers",
        at_most="sdk_workers * workers.workflow_task_pollers"),
    Bound("activity_pollers", "pollers", "every worker polling with all its pollers",
        at_most="sdk_workers * workers.activity_task_pollers"),
)  # fmt: skip


def expected(values: Mapping[str, Scalar]) -> tuple[TelemetryBound, ...]:
    """The bounds of a resolved configuration, in the order of the table."""
    return tuple(
        TelemetryBound(
            signal=bound.signal,
            minimum=_side(bound.sides[0], values),
            maximum=_side(bound.sides[1], values),
            unit=bound.unit,
            why=bound.why,
        )
        for bound in BOUNDS
    )


def _side(formula: Formula | None, values: Mapping[str, Scalar]) -> float | None:
    return None if formula is None else float(formula.evaluate(values))
