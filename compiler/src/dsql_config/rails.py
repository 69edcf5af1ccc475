"""Guard rails: configurations that must not be written, and ones that are worth a warning.

Theory of operation. A rail is a row: a condition that holds for a *bad* configuration, the numbers
that show it, and what to change. Conditions and numbers are formulas over the resolved parameters,
so a rail reports with the figures it judged by. All rails are evaluated; errors forbid writing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from copilot_core.values import Scalar
from dsql_config.findings import Finding, Severity
from dsql_config.formulas import Formula

ERROR: Final = Severity.ERROR
WARNING: Final = Severity.WARNING


@dataclass(frozen=True)
class Rail:
    """One guard rail. `bad` is the condition, `parameter` what to look at first, `why` the reason,
    `change` what to do."""

    id: str
    severity: Severity
    bad: str
    parameter: str
    why: str
    change: str

    @cached_property
    def condition(self) -> Formula:
        """The condition, parsed."""
        return Formula(self.bad)


RAILS: Final = (
    Rail("total-connections", ERROR, "dsql.total_connections > DSQL_CONNECTIONS", "dsql.total_connections",
        "DSQL refuses connections above 10,000 per cluster (SQLSTATE 53300)",
        "lower dsql.pool_max_connections or the replicas, or move visibility out of SQL"),
    Rail("idle-differs-from-max", ERROR, "dsql.pool_max_idle_connections != dsql.pool_max_connections",
        "dsql.pool_max_idle_connections",
        "a pool that keeps fewer idle connections than it may open closes and opens them all the time",
        "set both to the same number"),
    Rail("reservoir-without-target", ERROR, "dsql.reservoir_enabled and dsql.reservoir_target == 0",
        "dsql.reservoir_target", "a reservoir that keeps nothing ready makes every request wait",
        "set dsql.reservoir_target to the pool's size, or switch the reservoir off"),
    Rail("reservoir-without-jitter", ERROR, "dsql.reservoir_enabled and dsql.reservoir_jitter_s == 0",
        "dsql.reservoir_jitter_s", "all connections end together and come back together, at 100 a second",
        "leave dsql.reservoir_jitter_s to the compiler, or set it to a minute or more"),
    Rail("limiter-without-table", ERROR, "dsql.limiter == 'distributed' and dsql.limiter_table == ''",
        "dsql.limiter_table", "the plugin falls back to one limiter per process and says so only in its log",
        "name the DynamoDB table in dsql.limiter_table, or set dsql.limiter to per-instance"),
    Rail("slot-blocks-without-table", ERROR, "dsql.slot_blocks_enabled and dsql.lease_table == ''",
        "dsql.lease_table", "the plugin logs an error and runs without leases",
        "name the DynamoDB table in dsql.lease_table, or set dsql.slot_blocks_enabled to false"),
    Rail("slot-blocks-without-reservoir", ERROR, "dsql.slot_blocks_enabled and not dsql.reservoir_enabled",
        "dsql.slot_blocks_enabled", "the plugin leases connections in reservoir mode only",
        "set dsql.reservoir_enabled to true, or dsql.slot_blocks_enabled to false"),
    Rail("lifetime-reaches-limit", ERROR,
        "dsql.reservoir_enabled and dsql.reservoir_base_lifetime_s + dsql.reservoir_jitter_s >= 3600"
        " or not dsql.reservoir_enabled and (dsql.connection_lifetime_s >= 3600 or dsql.connection_lifetime_s == 0)",
        "dsql.connection_lifetime_s", "DSQL cuts a session at 60 minutes, in the middle of a transaction",
        "choose a lifetime, jitter included, from 1 s to below 3600 s; 0 would be for ever"),
    Rail("connect-rate", ERROR, "dsql.cluster_connects_per_s > DSQL_CONNECTS_PER_S", "dsql.cluster_connects_per_s",
        "DSQL accepts 100 new connections a second per cluster",
        "lower dsql.connects_per_s (per process) or dsql.limiter_connects_per_s, or run fewer processes"),
    Rail("pollers-above-slots", ERROR,
        "workers.workflow_task_pollers > workers.workflow_task_slots or workers.activity_task_pollers > workers.activity_slots",
        "workers.workflow_task_pollers", "a poller without a slot asks for work that the worker cannot take",
        "raise the slots or lower the pollers"),
    Rail("too-few-for-workflow-tasks", ERROR,
        "workers.workflow_task_slots < 2 or workers.workflow_task_pollers < 2", "workers.workflow_task_slots",
        "sticky and normal queue need one each; with 1 the Go SDK panics and Python refuses to start",
        "give workflow tasks at least 2 slots and 2 pollers"),
    Rail("pollers-above-namespace-count", ERROR,
        "sdk_workers * max(workers.workflow_task_pollers, workers.activity_task_pollers) > frontend.namespace_count",
        "sdk_workers", "a frontend host refuses more long polls of one namespace and API than this",
        "lower the pollers or the workers, or raise frontend.namespace_count"),
    Rail("completions-above-transitions", ERROR, "workflow_completions_per_s > state_transitions_per_s",
        "workflow_completions_per_s", "every completion is a state transition, so there cannot be more of them",
        "raise state_transitions_per_s or lower workflow_completions_per_s"),
    Rail("waits-longer-than-whole", ERROR, "schedule_to_start_ms > end_to_end_ms", "schedule_to_start_ms",
        "a task may wait longer than its whole workflow may take",
        "lower schedule_to_start_ms or raise end_to_end_ms"),
    Rail("fewer-shards-than-hosts", ERROR, "history_shards < history_replicas", "history_shards",
        "a history host without a shard does nothing", "use more shards or fewer history replicas"),
    Rail("write-above-read-partitions", ERROR, "write_partitions > read_partitions", "write_partitions",
        "tasks written to a partition that nobody reads are lost from sight",
        "raise read_partitions first, then write_partitions"),
    Rail("more-partitions-than-throughput", WARNING, "read_partitions > max(4, state_transitions_per_s / 5)",
        "read_partitions", "thin partitions wait for pollers that sit on another one: latency without gain",
        "use fewer partitions, at least 5 transitions a second each"),
    Rail("sticky-longer-than-workflow", WARNING, "end_to_end_ms < 2000 and workers.sticky_timeout_s * 1000 > max(end_to_end_ms, 1000)",
        "workers.sticky_timeout_s", "when a worker is lost, its workflows wait for it longer than they may take in all",
        "leave workers.sticky_timeout_s to its derivation, or correct end_to_end_ms"),
)  # fmt: skip


def judge(values: Mapping[str, Scalar]) -> tuple[Finding, ...]:
    """Every rail that a configuration breaks, in the order of the table, with the numbers."""
    return tuple(
        Finding(
            severity=rail.severity,
            code=rail.id,
            key=rail.parameter,
            message=f"{rail.why}: {rail.condition.worked(values)} ({rail.condition.readable()})",
            suggestion=rail.change,
        )
        for rail in RAILS
        if rail.condition.evaluate(values)
    )
