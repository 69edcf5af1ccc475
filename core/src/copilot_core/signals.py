"""The signal table: what is asked of a metrics backend, in which unit, and of whom.

Theory of operation. A row holds one PromQL template. Temporal servers and SDKs write the same
instrument under different names and units, called a *dialect*; the template names the instrument
and its kind, and a `Dialect` turns it into the name of that dialect:

    counter:service_requests          -> service_requests        | service_requests_total
    timer:service_latency_bucket      -> service_latency_bucket  | service_latency_milliseconds_bucket
    histogram:task_attempt_count      -> task_attempt_count      | task_attempt_ratio_count
    $to_ms, $to_s                     -> the factor that brings a timer to the row's unit
    $window                           -> the rate window, 4 scrape intervals, at least one minute
    $instance                         -> the label that tells processes of one role apart

A row is the only place that knows a metric's name. To add a signal, add a row (and, if it decides,
a row of the rule table). `SIGNAL_NAMES` is the order in which a sample carries its readings.

Sources: `docs/reference/signals.md` names, per row, what was verified against a real server 1.32.1
in the dialects `tally` and `otel_ms`; the facts behind the expressions are those of the server's
`common/metrics/metric_defs.go` and the SDKs' metric pages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from copilot_core.errors import Rejected


class Role(StrEnum):
    """Whose processes report the signal. A role without a pulse silences all its signals."""

    FRONTEND = "frontend"
    HISTORY = "history"
    MATCHING = "matching"
    WORKERS = "workers"
    ANY = "any"
    """Reported by every server process: no single pulse stands for it."""


SERVER_ROLES: Final = (Role.FRONTEND, Role.HISTORY, Role.MATCHING)
"""The roles without which a Temporal cluster makes no progress; each has a pulse."""


class Group(StrEnum):
    """What a signal is for. Only pulses, witnesses and primaries may decide (law L9)."""

    PULSE = "pulse"
    WITNESS = "witness"
    PRIMARY = "primary"
    WORKER = "worker"
    AMPLIFIER = "amplifier"


class Family(StrEnum):
    """Which software writes the metric, and so which probe tells its dialect."""

    SERVER = "server"
    SDK = "sdk"
    DSQL = "dsql"
    """The Temporal DSQL persistence plugin; absent on a stock server: `no source`."""
    NONE = "none"
    """Nobody: no stock server or plugin has an honest source for it."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one family of software spells its instruments.

    `counter`, `timer` and `histogram` are the suffixes put after the instrument's name (before
    `_bucket`, `_sum`, `_count`); `timer_unit_ms` is the size of the timer's unit in milliseconds.
    """

    id: str
    family: Family
    counter: str
    timer: str
    histogram: str
    timer_unit_ms: int
    when: str

    @property
    def to_ms(self) -> str:
        """PromQL prefix that turns a timer's number into milliseconds."""
        return "" if self.timer_unit_ms == 1 else f"{self.timer_unit_ms} * "

    @property
    def to_s(self) -> str:
        """PromQL prefix that turns a timer's number into seconds."""
        return "" if self.timer_unit_ms == 1000 else "0.001 * "


DIALECTS: Final[Mapping[str, Dialect]] = MappingProxyType(
    {
        dialect.id: dialect
        for dialect in (
            Dialect(
                "tally", Family.SERVER, "", "", "", 1000,
                "server metrics without `framework`, the default; OpenTelemetry with all compatibility switches writes the same",
            ),
            Dialect(
                "otel_ms", Family.SERVER, "_total", "_milliseconds", "_ratio", 1,
                "server metrics with `framework: opentelemetry`",
            ),
            Dialect(
                "otel_seconds", Family.SERVER, "_total", "_seconds", "_ratio", 1000,
                "as otel_ms, with `recordTimerInSeconds: true`",
            ),
            Dialect(
                "core_ms", Family.SDK, "", "", "", 1,
                "Core SDKs (Python, TypeScript, .NET, Ruby) with default Prometheus settings",
            ),
            Dialect(
                "core_ms_suffixed", Family.SDK, "_total", "_milliseconds", "", 1,
                "Core SDKs with counter and unit suffixes switched on",
            ),
            Dialect(
                "seconds_suffixed", Family.SDK, "_total", "_seconds", "", 1000,
                "Core SDKs with suffixes and durations in seconds; Go with the Prometheus naming scope",
            ),
        )
    }
)  # fmt: skip

PROBES: Final[tuple[tuple[str, str], ...]] = (
    ("otel_ms", "count(persistence_latency_milliseconds_bucket)"),
    ("otel_seconds", "count(persistence_latency_seconds_bucket)"),
    ("tally", 'count(persistence_latency_bucket{le="0.001"})'),
    ("core_ms", "count(temporal_long_request{%s}) or count(temporal_request{%s})"),
    (
        "seconds_suffixed",
        "count(temporal_long_request_latency_seconds_count{%s}) or count(temporal_request_latency_seconds_count{%s})",
    ),
    (
        "core_ms_suffixed",
        "count(temporal_long_request_latency_milliseconds_count{%s}) or count(temporal_request_latency_milliseconds_count{%s})",
    ),
)
"""Instant queries that tell a dialect: the first of a family that answers names it. `%s` stands for
the selector of SDK metrics that do not come from the server's own internal workers."""

DSQL_PROBE: Final = "count(dsql_pool_open)"
"""Answers where the DSQL persistence plugin reports; without it its signals have no source."""

_USER = 'namespace!~"temporal.system"'
_USER_QUEUES = f'{_USER},taskqueue!~"temporal.sys.*"'
_SDK = f'service_name!~"frontend|internal.frontend|history|matching|worker",{_USER}'
_SELECTORS: Final[Mapping[str, str]] = MappingProxyType(
    {
        # The server's own housekeeping runs in the namespace temporal-system, which tally spells
        # temporal_system: the dot matches both.
        "$user_queues": _USER_QUEUES,
        "$user": _USER,
        # The server's internal SDK workers export SDK metrics through the server's endpoint.
        "$sdk_queues": f'{_SDK},task_queue!~"temporal.sys.*"',
        "$sdk": _SDK,
        # Queues whose age is meaningful: sticky queues share one series, last writer wins.
        "$partitions": f'service_name="matching",partition!~"__sticky__|__worker_commands__",{_USER_QUEUES}',
        "$starts": 'operation=~"StartWorkflowExecution|SignalWithStartWorkflowExecution|ExecuteMultiOperation"',
        "$mutations": 'operation=~"StartWorkflowExecution|SignalWorkflowExecution|SignalWithStartWorkflowExecution'
        "|RespondWorkflowTaskCompleted|RespondWorkflowTaskFailed|RecordWorkflowTaskStarted"
        "|RecordActivityTaskStarted|RespondActivityTaskCompleted|RespondActivityTaskFailed"
        "|RequestCancelWorkflowExecution|TerminateWorkflowExecution|RecordChildExecutionCompleted"
        '|ScheduleWorkflowTask"',
        # Calls that wait on purpose: their latency is the caller's patience, not the server's.
        "$not_waiting": 'operation!~"Poll.*|QueryWorkflow|UpdateWorkflowExecution|ExecuteMultiOperation'
        '|DescribeActivityExecution|DescribeNexusOperationExecution|Admin.*"',
        # Timers that are normally obsolete when they fire are loaded but never acknowledged.
        "$not_obsolete": 'task_type!~"TimerActiveTask(WorkflowTaskTimeout|ActivityTimeout|UserTimer)"',
        "$commits": 'operation=~"CreateWorkflowExecution|UpdateWorkflowExecution|ConflictResolveWorkflowExecution"',
        "$stored": 'service_name=~"history|matching|frontend"',
    }
)


def _rate(series: str) -> str:
    return f"sum(rate({series}[$window]))"


def _zero_filled(query: str, base: str) -> str:
    """`query`, or 0 while `base` answers: counters have no series before their first event."""
    return f"({query} or 0 * {base})"


def _events(series: str, base: str) -> str:
    return _zero_filled(_rate(series), _rate(base))


def _quantile(q: str, buckets: str) -> str:
    return f"histogram_quantile({q}, sum by (le) (rate({buckets}[$window])))"


def _closed(outcome: str) -> str:
    return _events(
        f'counter:workflow_{outcome}{{service_name="history",$user}}',
        'histogram:state_transition_count_count{service_name="history"}',
    )


_SUCCESSES: Final = _closed("success")
_CLOSINGS: Final = " + ".join(
    _closed(outcome) for outcome in ("success", "failed", "timeout", "terminate", "cancel")
)


def _shards_moved(offset: str) -> str:
    # A restarted process starts its counter at the shard count again, which increase() cannot see:
    # a reset of its allocation counter stands for the restart.
    return (
        f'(sum(increase(counter:sharditem_created_count{{service_name="history"}}[10m]{offset}))'
        f' + (sum(counter:sharditem_created_count{{service_name="history"}}{offset} and on ($instance)'
        f' (resets(memory_mallocs{{service_name="history"}}[10m]{offset}) > 0)) or 0 * sum(numshards_gauge{offset})))'
        f' / sum(numshards_gauge{{service_name="history"}}{offset})'
    )


@dataclass(frozen=True, slots=True)
class Signal:
    """One row: a name with its unit, who reports it, and how to ask for it.

    `id` is the number under which documents and rules speak of it (P1, WIT…, A7a). `counted_by`
    names the rate of observations behind a quantile: a quantile over a known rate of zero is not
    lost but void. `promql` is empty when nobody has an honest source for the signal.
    """

    id: str
    name: str
    unit: str
    role: Role
    group: Group
    meaning: str
    promql: str
    family: Family = Family.SERVER
    counted_by: str | None = None

    @property
    def decides(self) -> bool:
        """True when the rules may read the signal."""
        return self.group in (Group.PULSE, Group.WITNESS, Group.PRIMARY)


_F, _H, _M, _W, _ANY = Role.FRONTEND, Role.HISTORY, Role.MATCHING, Role.WORKERS, Role.ANY
_PULSE, _WIT, _PRI, _WRK, _AMP = (
    Group.PULSE,
    Group.WITNESS,
    Group.PRIMARY,
    Group.WORKER,
    Group.AMPLIFIER,
)
_SDKF, _DSQLF, _NONE = Family.SDK, Family.DSQL, Family.NONE


def _pulse(role: Role) -> str:
    return f'count(count by ($instance) (counter:service_requests{{service_name="{role}"}}))'


SIGNALS: Final[tuple[Signal, ...]] = (
    # --- pulses: does the role report now, and from how many processes -------------------------
    Signal("PULSE.frontend", "frontend_processes", "processes", _F, _PULSE,
        "frontend processes that report now", _pulse(_F)),
    Signal("PULSE.history", "history_processes", "processes", _H, _PULSE,
        "history processes that report now", _pulse(_H)),
    Signal("PULSE.matching", "matching_processes", "processes", _M, _PULSE,
        "matching processes that report now", _pulse(_M)),
    Signal("PULSE.workers", "worker_processes", "processes", _W, _PULSE,
        "SDK worker processes that report now",
        "count(count by ($instance) (temporal_worker_task_slots_used{$sdk_queues}))", _SDKF),
    # --- witnesses: demand and the first sign of work done, each seen from several sides --------
    Signal("WIT.demand.attempted", "starts_attempted_per_s", "1/s", _F, _WIT,
        "workflow starts asked of the frontend, client retries included (6-7 times the demand while calls fail)",
        _events('counter:service_requests{service_name="frontend",$starts,$user}',
                'counter:service_requests{service_name="frontend"}')),
    Signal("WIT.demand.accepted", "starts_accepted_per_s", "1/s", _H, _WIT,
        "workflow starts that reached history",
        _events('counter:service_requests{service_name="history",operation=~"StartWorkflowExecution|SignalWithStartWorkflowExecution"}',
                'counter:service_requests{service_name="history"}')),
    Signal("WIT.steps.frontend", "steps_seen_by_frontend_per_s", "1/s", _F, _WIT,
        "workflow tasks completed, counted at the frontend",
        _events('counter:service_requests{service_name="frontend",operation="RespondWorkflowTaskCompleted",$user}',
                'counter:service_requests{service_name="frontend"}')),
    Signal("WIT.steps.history", "steps_seen_by_history_per_s", "1/s", _H, _WIT,
        "workflow tasks completed, counted at history",
        _events('counter:service_requests{service_name="history",operation="RespondWorkflowTaskCompleted"}',
                'counter:service_requests{service_name="history"}')),
    Signal("WIT.steps.worker", "steps_seen_by_workers_per_s", "1/s", _W, _WIT,
        "workflow tasks executed, counted by the SDK workers",
        _rate("timer:temporal_workflow_task_execution_latency_count{$sdk}"), _SDKF),
    Signal("WIT.refused.frontend", "frontend_error_ratio", "ratio", _F, _WIT,
        "server errors on calls of user namespaces over all frontend requests",
        _events('counter:service_errors{service_name="frontend",$user}',
                'counter:service_requests{service_name="frontend"}')
        + " / " + _rate('counter:service_requests{service_name="frontend"}'),
        counted_by="frontend_requests_per_s"),
    Signal("WIT.loaded", "loaded_partitions", "partitions", _M, _WIT,
        "task-queue partitions of user namespaces that matching holds in memory; a known 0 means that no backlog age can exist",
        _zero_filled('sum(loaded_task_queue_partition_count{service_name="matching",partition="__normal__",$user})',
                     _rate('counter:service_requests{service_name="matching"}'))),
    # --- primaries: the twelve that decide ------------------------------------------------------
    Signal("P1", "transitions_per_s", "1/s", _H, _PRI,
        "state transitions committed for user namespaces",
        _events('histogram:state_transition_count_count{service_name="history",namespace_state="active",$user}',
                'counter:service_requests{service_name="history"}')),
    Signal("P2a", "transition_p95_ms", "ms", _H, _PRI,
        "latency of history calls that change a workflow, 95th percentile; no metric is a transition latency by name",
        "$to_ms" + _quantile("0.95", 'timer:service_latency_bucket{service_name="history",$mutations}'),
        counted_by="mutations_per_s"),
    Signal("P2b", "transition_p99_ms", "ms", _H, _PRI,
        "as transition_p95_ms, 99th percentile",
        "$to_ms" + _quantile("0.99", 'timer:service_latency_bucket{service_name="history",$mutations}'),
        counted_by="mutations_per_s"),
    Signal("P2n", "mutations_per_s", "1/s", _H, _PRI,
        "history calls that change a workflow: the observations behind the transition latencies",
        _events('timer:service_latency_count{service_name="history",$mutations}',
                'counter:service_requests{service_name="history"}')),
    Signal("P3a", "completions_per_s", "1/s", _H, _PRI,
        "workflows that closed with success", _SUCCESSES),
    Signal("P3c", "closings_per_s", "1/s", _H, _PRI,
        "workflows that closed: completed, failed, timed out, terminated or cancelled", _CLOSINGS),
    Signal("P3b", "completion_ratio", "ratio", _H, _PRI,
        "share of successes among the closings", f"{_SUCCESSES} / ({_CLOSINGS} > 0)",
        counted_by="closings_per_s"),
    Signal("P4", "history_backlog_age_s", "s", _H, _PRI,
        "time from a history task's due time to its acknowledgement, 95th percentile; a stuck queue emits none",
        "$to_s" + _quantile("0.95", 'timer:task_latency_queue_bucket{service_name="history",task_type=~"(Transfer|Timer)Active.*"}'),
        counted_by="active_tasks_acked_per_s"),
    Signal("P4n", "active_tasks_acked_per_s", "1/s", _H, _PRI,
        "transfer and timer tasks acknowledged: the observations behind the backlog age",
        _events('timer:task_latency_queue_count{service_name="history",task_type=~"(Transfer|Timer)Active.*"}',
                'counter:service_requests{service_name="history"}')),
    Signal("P5", "history_tasks_acked_per_s", "1/s", _H, _PRI,
        "history tasks acknowledged",
        _events('timer:task_latency_queue_count{service_name="history"}', 'counter:service_requests{service_name="history"}')),
    Signal("P5l", "due_tasks_loaded_per_s", "1/s", _H, _PRI,
        "history tasks loaded, without timers that are normally obsolete when they fire",
        _events('timer:task_latency_load_count{service_name="history",$not_obsolete}',
                'counter:service_requests{service_name="history"}')),
    Signal("P5a", "due_tasks_acked_per_s", "1/s", _H, _PRI,
        "history tasks acknowledged, of the same types as due_tasks_loaded_per_s",
        _events('timer:task_latency_queue_count{service_name="history",$not_obsolete}',
                'counter:service_requests{service_name="history"}')),
    Signal("P6", "shards_moved_ratio", "ratio", _H, _PRI,
        "shards acquired in the last 10 minutes over all shards, restarts in place included", _shards_moved("")),
    Signal("P6b", "shards_moved_before_ratio", "ratio", _H, _PRI,
        "as shards_moved_ratio, for the 10 minutes before", _shards_moved(" offset 10m")),
    Signal("P7", "frontend_errors_per_s", "1/s", _F, _PRI,
        "unexpected errors answered by the frontend; NotFound, AlreadyStarted and their like are not counted",
        _events('counter:service_errors{service_name="frontend"}', 'counter:service_requests{service_name="frontend"}')),
    Signal("P7n", "frontend_requests_per_s", "1/s", _F, _PRI,
        "requests at the frontend, long polls included",
        _rate('counter:service_requests{service_name="frontend"}')),
    Signal("P8a", "frontend_p95_ms", "ms", _F, _PRI,
        "latency of frontend calls that do not wait on purpose, 95th percentile",
        "$to_ms" + _quantile("0.95", 'timer:service_latency_bucket{service_name="frontend",$not_waiting}'),
        counted_by="frontend_short_calls_per_s"),
    Signal("P8b", "frontend_p99_ms", "ms", _F, _PRI,
        "as frontend_p95_ms, 99th percentile",
        "$to_ms" + _quantile("0.99", 'timer:service_latency_bucket{service_name="frontend",$not_waiting}'),
        counted_by="frontend_short_calls_per_s"),
    Signal("P8n", "frontend_short_calls_per_s", "1/s", _F, _PRI,
        "frontend calls that do not wait on purpose: the observations behind the frontend latencies",
        _events('timer:service_latency_count{service_name="frontend",$not_waiting}',
                'counter:service_requests{service_name="frontend"}')),
    Signal("P9a", "workflow_backlog_age_s", "s", _M, _PRI,
        "age of the oldest workflow task waiting in matching; refreshed once a minute",
        'max(approximate_backlog_age_seconds{task_type="Workflow",$partitions})', counted_by="loaded_partitions"),
    Signal("P9b", "activity_backlog_age_s", "s", _M, _PRI,
        "age of the oldest activity task waiting in matching; refreshed once a minute",
        'max(approximate_backlog_age_seconds{task_type="Activity",$partitions})', counted_by="loaded_partitions"),
    Signal("P10a", "no_poller_tasks_per_s", "1/s", _M, _PRI,
        "attempts to add a task to a queue that nobody polled for 2 minutes; only above 0 means something",
        _zero_filled(_rate('counter:no_poller_tasks{service_name="matching",$user_queues}'),
                     _rate('timer:poll_latency_count{service_name="matching"}'))),
    Signal("P11a", "persistence_p95_ms", "ms", _H, _PRI,
        "latency of history's database calls, 95th percentile; each retry is a call",
        "$to_ms" + _quantile("0.95", 'timer:persistence_latency_bucket{service_name="history"}'),
        counted_by="persistence_requests_per_s"),
    Signal("P11b", "persistence_p99_ms", "ms", _H, _PRI,
        "as persistence_p95_ms, 99th percentile",
        "$to_ms" + _quantile("0.99", 'timer:persistence_latency_bucket{service_name="history"}'),
        counted_by="persistence_requests_per_s"),
    Signal("P12a", "persistence_errors_per_s", "1/s", _H, _PRI,
        "database errors of history, matching and frontend; lost races and NotFound are not counted",
        _events("counter:persistence_errors{$stored}", "counter:persistence_requests{$stored}")),
    Signal("P12r", "persistence_error_ratio", "ratio", _H, _PRI,
        "share of history's database calls that failed",
        _events('counter:persistence_errors{service_name="history"}', 'counter:persistence_requests{service_name="history"}')
        + ' / (sum(rate(counter:persistence_requests{service_name="history"}[$window])) > 0)',
        counted_by="persistence_requests_per_s"),
    Signal("P12n", "persistence_requests_per_s", "1/s", _H, _PRI,
        "history's database calls", _rate('counter:persistence_requests{service_name="history"}')),
    Signal("PS1", "retention_deletes_per_s", "1/s", _H, _PRI,
        "retention timers that fired",
        _events('counter:task_requests{service_name="history",task_type=~"Timer(Active|Standby)TaskDeleteHistoryEvent"}',
                'counter:task_requests{service_name="history"}')),
    Signal("PS2", "cleanup_deletes_per_s", "1/s", _H, _PRI,
        "workflows deleted, by retention or on demand",
        _events('counter:workflow_cleanup_delete{service_name="history"}',
                'counter:task_requests{service_name="history"}')),
    # --- the workers' own view ------------------------------------------------------------------
    Signal("W1.p95", "workflow_task_wait_p95_ms", "ms", _H, _WRK,
        "workflow task schedule-to-start, 95th percentile, measured by the server: the SDK's default buckets start at 100 ms",
        "$to_ms" + _quantile("0.95", 'timer:task_schedule_to_start_latency_bucket{service_name="history",task_type="Workflow",$user}')),
    Signal("W1.p99", "workflow_task_wait_p99_ms", "ms", _H, _WRK,
        "as workflow_task_wait_p95_ms, 99th percentile",
        "$to_ms" + _quantile("0.99", 'timer:task_schedule_to_start_latency_bucket{service_name="history",task_type="Workflow",$user}')),
    Signal("W2.p95", "activity_wait_p95_ms", "ms", _H, _WRK,
        "activity schedule-to-start, 95th percentile, measured by the server; eagerly started activities are not in it",
        "$to_ms" + _quantile("0.95", 'timer:task_schedule_to_start_latency_bucket{service_name="history",task_type="Activity",$user}')),
    Signal("W2.p99", "activity_wait_p99_ms", "ms", _H, _WRK,
        "as activity_wait_p95_ms, 99th percentile",
        "$to_ms" + _quantile("0.99", 'timer:task_schedule_to_start_latency_bucket{service_name="history",task_type="Activity",$user}')),
    Signal("W3.available", "workflow_slots_free", "slots", _W, _WRK,
        "free workflow-task slots of the worker that has the fewest; not reported by resource-based tuners",
        'min(temporal_worker_task_slots_available{worker_type="WorkflowWorker",$sdk_queues})', _SDKF),
    Signal("W3.used", "workflow_slots_used", "slots", _W, _WRK,
        "workflow-task slots in use, all workers",
        'sum(temporal_worker_task_slots_used{worker_type="WorkflowWorker",$sdk_queues})', _SDKF),
    Signal("W4.available", "activity_slots_free", "slots", _W, _WRK,
        "free activity slots of the worker that has the fewest; not reported by resource-based tuners",
        'min(temporal_worker_task_slots_available{worker_type="ActivityWorker",$sdk_queues})', _SDKF),
    Signal("W4.used", "activity_slots_used", "slots", _W, _WRK,
        "activity slots in use, all workers",
        'sum(temporal_worker_task_slots_used{worker_type="ActivityWorker",$sdk_queues})', _SDKF),
    Signal("W5", "workflow_pollers", "pollers", _W, _WRK,
        "open polls for workflow tasks, sticky ones included",
        'sum(temporal_num_pollers{poller_type=~"workflow_task|sticky_workflow_task|workflow_sticky_task",$sdk_queues})', _SDKF),
    Signal("W6", "activity_pollers", "pollers", _W, _WRK,
        "open polls for activity tasks; a worker whose slots are full stops polling",
        'sum(temporal_num_pollers{poller_type="activity_task",$sdk_queues})', _SDKF),
    Signal("WA1", "sticky_cache_size", "workflows", _W, _WRK,
        "workflow runs cached by the workers", "sum(temporal_sticky_cache_size{$sdk_queues})", _SDKF),
    Signal("WA2", "sticky_cache_hit_ratio", "ratio", _W, _WRK,
        "sticky workflow tasks that found their run cached",
        _zero_filled(_rate("counter:temporal_sticky_cache_hit{$sdk_queues}"), "sum(temporal_sticky_cache_size{$sdk_queues})")
        + " / (" + _zero_filled(_rate("counter:temporal_sticky_cache_hit{$sdk_queues}"), "sum(temporal_sticky_cache_size{$sdk_queues})")
        + " + " + _zero_filled(_rate("counter:temporal_sticky_cache_miss{$sdk_queues}"), "sum(temporal_sticky_cache_size{$sdk_queues})")
        + " > 0)", _SDKF),
    Signal("WA3", "sticky_cache_misses_per_s", "1/s", _W, _WRK,
        "sticky workflow tasks that replayed the whole history",
        _zero_filled(_rate("counter:temporal_sticky_cache_miss{$sdk_queues}"), "sum(temporal_sticky_cache_size{$sdk_queues})"), _SDKF),
    Signal("WA4", "worker_long_poll_p95_ms", "ms", _W, _WRK,
        "long-poll latency seen by workers; mostly the server's long-poll timeout",
        "$to_ms" + _quantile("0.95", "timer:temporal_long_request_latency_bucket{$sdk}"), _SDKF),
    Signal("WA5", "worker_poll_failures_per_s", "1/s", _W, _WRK,
        "failed long polls seen by workers: the first metric to show a dead frontend",
        _events('counter:temporal_long_request_failure{status_code!~"CANCELLED|DEADLINE_EXCEEDED",$sdk}',
                "counter:temporal_long_request{$sdk}"), _SDKF),
    Signal("WA6", "pollers_exceed_slots", "bool", _W, _WRK,
        "1 when some queue has more activity pollers than activity slots",
        'max(max by (task_queue) (temporal_num_pollers{poller_type="activity_task",$sdk_queues}) > bool on (task_queue)'
        ' max by (task_queue) (temporal_worker_task_slots_used{worker_type="ActivityWorker",$sdk_queues}'
        ' + temporal_worker_task_slots_available{worker_type="ActivityWorker",$sdk_queues}))', _SDKF),
    # --- amplifiers: they explain, they never decide ---------------------------------------------
    Signal("A1a", "occ_conflicts_per_s", "1/s", _ANY, _AMP, "optimistic-concurrency conflicts counted by the DSQL plugin",
        _zero_filled(_rate("dsql_tx_conflict_total"), "sum(dsql_pool_open)"), _DSQLF),
    Signal("A1b", "lost_races_per_s", "1/s", _H, _AMP, "compare-and-set losses on workflow state",
        _events('counter:persistence_error_with_type{service_name="history",error_type=~"persistence[._](ConditionFailedError'
                '|WorkflowConditionFailedError|CurrentWorkflowConditionFailedError)"}',
                'counter:persistence_requests{service_name="history"}')),
    Signal("A1c", "serialization_failures_per_s", "1/s", _ANY, _AMP, "SQLSTATE 40001, OC000 and OC001 seen by the DSQL plugin",
        _zero_filled(_rate('dsql_tx_error_class_total{error_class="retryable"}'), "sum(dsql_pool_open)"), _DSQLF),
    Signal("P12b", "persistence_retries_per_s", "1/s", _ANY, _AMP, "transaction retries of the DSQL plugin; a stock server has no such counter",
        _zero_filled(_rate("dsql_tx_retry_total"), "sum(dsql_pool_open)"), _DSQLF),
    Signal("A2a", "pool_used_pct", "%", _ANY, _AMP, "connection pool in use, worst process; the stock gauge is sampled once a minute",
        '100 * max(dsql_pool_in_use{service_name!="server"} / (dsql_pool_max_open{service_name!="server"} > 0))'
        ' or 100 * max(persistence_sql_in_use{db_kind="main"} / (persistence_sql_max_open_conn{db_kind="main"} > 0))'),
    Signal("A2b", "pool_waits_per_s", "1/s", _ANY, _AMP, "waits for a pooled connection",
        _zero_filled(_rate("dsql_pool_wait_total"), "sum(dsql_pool_open)"), _DSQLF),
    Signal("A2c", "pool_wait_ms_per_s", "ms/s", _ANY, _AMP, "time spent waiting for a pooled connection, per second",
        "$to_ms" "sum(clamp_min(deriv((rate(timer:dsql_pool_wait_duration_sum[1m]) / rate(timer:dsql_pool_wait_duration_count[1m]))[10m:1m]), 0))", _DSQLF),
    Signal("A3a", "connections_opened_per_s", "1/s", _ANY, _AMP, "database connections opened",
        _zero_filled(_rate("dsql_reservoir_refills_total"), "sum(dsql_reservoir_target)") + " or " + _rate("dsql_pool_keeper_topup_total"), _DSQLF),
    Signal("A3b", "connections_closed_per_s", "1/s", _ANY, _AMP, "database connections closed or discarded",
        _zero_filled(_rate("dsql_reservoir_discards_total"), "sum(dsql_reservoir_target)")
        + " or sum(rate(dsql_db_closed_max_lifetime_total[$window]) + rate(dsql_db_closed_max_idle_time_total[$window])"
        " + rate(dsql_db_closed_max_idle_total[$window]))", _DSQLF),
    Signal("A4", "backlog_tasks", "tasks", _M, _AMP, "tasks waiting in matching, approximate", "sum(approximate_backlog_count{$partitions})"),
    Signal("A5", "wasted_attempts_ratio", "ratio", _H, _AMP, "share of history task attempts that completed nothing",
        '1 - sum(rate(timer:task_latency_queue_count{service_name="history",$not_obsolete}[$window]))'
        ' / (sum(rate(counter:task_requests{service_name="history",$not_obsolete}[$window])) > 0)'),
    Signal("A7a", "cache_hit_ratio", "ratio", _H, _AMP, "mutable-state cache hits",
        '1 - ' + _events('counter:cache_miss{service_name="history",cache_type="mutablestate"}',
                         'counter:cache_requests{service_name="history",cache_type="mutablestate"}')
        + ' / (sum(rate(counter:cache_requests{service_name="history",cache_type="mutablestate"}[$window])) > 0)'),
    Signal("A7b", "cache_evictions_per_s", "1/s", _H, _AMP, "entries that left the mutable-state cache",
        _zero_filled(_rate('timer:cache_entry_age_on_eviction_count{service_name="history",cache_type="mutablestate"}'),
                     'sum(cache_usage{service_name="history",cache_type="mutablestate"})')),
    Signal("A7c", "cache_fill_ratio", "ratio", _H, _AMP, "mutable-state cache in use over its size, fullest process",
        'max(cache_usage{service_name="history",cache_type="mutablestate"} / (cache_size{service_name="history",cache_type="mutablestate"} > 0))'),
    Signal("A8a", "hot_shard_ratio", "ratio", _H, _AMP, "p99 over p50 of a shard's database calls; no metric names the shard",
        _quantile("0.99", 'histogram:persistence_shard_rps_bucket{service_name="history"}')
        + " / clamp_min(" + _quantile("0.5", 'histogram:persistence_shard_rps_bucket{service_name="history"}') + ", 1)"),
    Signal("A8b", "busiest_shard_per_s", "1/s", _H, _AMP, "database calls of the busiest shards, 99th percentile",
        _quantile("0.99", 'histogram:persistence_shard_rps_bucket{service_name="history"}')),
    Signal("A9", "requests_in_flight", "requests", _ANY, _AMP, "seconds of request time per second (Little's law), waiting calls left out",
        "$to_s" 'sum(rate(timer:service_latency_sum{operation!~"Poll.*|QueryWorkflow|UpdateWorkflowExecution|ExecuteMultiOperation'
        '|DescribeActivityExecution|DescribeNexusOperationExecution|Admin.*|GetTaskQueueUserData|ListNexusEndpoints'
        '|GetNexusIncomingServiceEndpoints"}[$window]))'),
    Signal("A10", "goroutines", "goroutines", _ANY, _AMP, "goroutines of the process that has the most; refreshed once a minute", "max(num_goroutines)"),
    Signal("A11a", "gc_pause_ratio", "ratio", _ANY, _AMP, "share of time in garbage-collection pauses, worst process",
        "max(rate(memory_pause_total_ns_last[$window]) / 1e9)"),
    Signal("A11b", "heap_bytes", "bytes", _ANY, _AMP, "Go heap and stack of the largest process; a stock server exposes no RSS",
        "max(memory_heapinuse + memory_stack)"),
    Signal("A11c", "cpu_throttled_ratio", "ratio", _ANY, _AMP, "CPU throttling; a stock server has no source for it", "", _NONE),
    Signal("A12a", "rate_limited_per_s", "1/s", _ANY, _AMP, "calls answered ResourceExhausted, all causes",
        _zero_filled(_rate("counter:service_errors_resource_exhausted"), _rate("counter:service_requests"))),
    Signal("A12b", "admission_rejects_per_s", "1/s", _F, _AMP, "calls the frontend turned away at its own limits",
        _events('counter:service_errors_resource_exhausted{service_name="frontend",resource_exhausted_cause=~"RpsLimit|ConcurrentLimit|SystemOverloaded"}',
                'counter:service_requests{service_name="frontend"}')),
    Signal("A14a", "membership_changes_per_min", "1/min", _H, _AMP, "changes of the ring, counted by each history host",
        "60 * " + _zero_filled(_rate('counter:membership_changed_count{service_name="history"}'), "sum(numshards_gauge)")),
    Signal("A14b", "processes_restarted", "processes", _ANY, _AMP, "server processes restarted or replaced in 15 minutes",
        "sum(resets(memory_mallocs[15m])) + (count(memory_mallocs unless memory_mallocs offset 15m) or vector(0))"),
    Signal("A14c", "leader_changes_per_min", "1/min", _ANY, _AMP, "Temporal has no leader: kept so that nobody looks for it", "", _NONE),
    Signal("A15", "activity_failures_per_s", "1/s", _H, _AMP, "attempts of activities that failed or timed out",
        _events('counter:activity_task_fail{service_name="history"}', 'counter:service_requests{service_name="history"}')
        + " + " + _events('counter:activity_task_timeout{service_name="history"}', 'counter:service_requests{service_name="history"}')),
)  # fmt: skip

SIGNAL_NAMES: Final[tuple[str, ...]] = tuple(signal.name for signal in SIGNALS)
"""The order of readings in a sample of signal list `SIGNAL_LIST`."""

SIGNAL_LIST: Final = 2
"""Number of the list above; a new order or a new row takes the next number."""

SIGNAL_LISTS: Final[Mapping[int, tuple[str, ...]]] = MappingProxyType(
    {1: SIGNAL_NAMES[: SIGNAL_NAMES.index("activity_failures_per_s")], SIGNAL_LIST: SIGNAL_NAMES}
)
"""Every list that a stored sample may name. Old lists stay for ever."""

BY_NAME: Final[Mapping[str, Signal]] = MappingProxyType({s.name: s for s in SIGNALS})
INDEX: Final[Mapping[str, int]] = MappingProxyType({name: i for i, name in enumerate(SIGNAL_NAMES)})
"""Position of each signal in `Sample.readings`."""

PULSE_OF: Final[Mapping[Role, str]] = MappingProxyType(
    {s.role: s.name for s in SIGNALS if s.group is Group.PULSE}
)

_INSTRUMENT = re.compile(
    r"\b(counter|timer|histogram):([A-Za-z0-9_]+?)(_bucket|_sum|_count)?(?=[\s{\[)])"
)


@dataclass(frozen=True, slots=True)
class Installation:
    """What a probe found out about one metrics backend: dialects and the label that tells processes.

    `server` and `sdk` are dialect ids, or None where nothing of the family reports; `dsql` tells
    whether the DSQL plugin reports.
    """

    server: str | None
    sdk: str | None
    dsql: bool
    instance_label: str = "instance"

    def __post_init__(self) -> None:
        for family, dialect in ((Family.SERVER, self.server), (Family.SDK, self.sdk)):
            if dialect is None:
                continue
            if dialect not in DIALECTS or DIALECTS[dialect].family is not family:
                choices = ", ".join(d.id for d in DIALECTS.values() if d.family is family)
                raise Rejected(
                    f"unknown {family} dialect {dialect!r}", todo=f"use one of: {choices}, or auto"
                )


def rate_window_s(scrape_interval_s: int) -> int:
    """The window of every rate: 4 scrapes, at least one minute.

    Five-minute windows see a loss of progress four minutes late; one minute instead of two brought
    critical from 130 s to 70-100 s on recorded incidents, without one false alarm.
    """
    return max(4 * scrape_interval_s, 60)


def _spell(template: str, dialect: Dialect) -> str:
    def instrument(match: re.Match[str]) -> str:
        kind, name, part = match.group(1), match.group(2), match.group(3) or ""
        if kind == "counter":
            return f"{name}{part}{dialect.counter}"
        suffix = dialect.timer if kind == "timer" else dialect.histogram
        return f"{name}{suffix}{part}"

    return _INSTRUMENT.sub(instrument, template)


def promql(signal: Signal, installation: Installation, window_s: int) -> str | None:
    """The query for one signal on one installation, or None when it has no source there."""
    match signal.family:
        case Family.NONE:
            return None
        case Family.SERVER:
            dialect_id = installation.server
        case Family.SDK:
            dialect_id = installation.sdk
        case Family.DSQL:
            dialect_id = installation.server if installation.dsql else None
    if dialect_id is None:
        return None
    dialect = DIALECTS[dialect_id]
    query = signal.promql
    for macro, text in _SELECTORS.items():
        query = query.replace(macro, text)
    query = (
        query.replace("$to_ms", dialect.to_ms)
        .replace("$to_s", dialect.to_s)
        .replace("$window", f"{window_s}s")
        .replace("$instance", installation.instance_label)
    )
    return _spell(query, dialect)


def queries(installation: Installation, window_s: int) -> Iterator[tuple[str, str | None]]:
    """Every signal in table order with its query; None means `Missing.NO_SOURCE`."""
    for signal in SIGNALS:
        yield signal.name, promql(signal, installation, window_s)


def probes(family: Family) -> Iterator[tuple[str, str]]:
    """The probes of one family in order: dialect id and query."""
    for dialect_id, query in PROBES:
        if DIALECTS[dialect_id].family is family:
            yield dialect_id, query.replace("%s", _SDK)
