"""How signals and quantities are called aloud: short noun phrases, one per name, no two alike.

A phrase stands before a colon and a value: "workflow tasks completed: 0 per second, below the
threshold of 0.7 per second". It holds no number and no unit. Where a phrase names no percentile,
the signal is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

PHRASES: Final[Mapping[str, str]] = MappingProxyType(
    {
        # --- quantities that are no signals ------------------------------------------------------
        "demand_per_s": "workflow starts asked for",
        "first_steps_per_s": "workflow tasks completed",
        "waiting_s": "age of the oldest waiting work",
        "queue_wait_s": "age of the oldest task in matching",
        "housekeeping_per_s": "deletions",
        "shards_moving_ratio": "shards moved in both windows",
        "silent_roles": "server roles without a pulse",
        "remaining_ratio": "work still seen, of its own mean",
        "closings_kept_ratio": "workflows closed, of their own mean",
        # --- pulses ------------------------------------------------------------------------------
        "frontend_processes": "frontend processes",
        "history_processes": "history processes",
        "matching_processes": "matching processes",
        "worker_processes": "worker processes",
        # --- witnesses ---------------------------------------------------------------------------
        "starts_attempted_per_s": "workflow starts attempted",
        "starts_accepted_per_s": "workflow starts accepted",
        "steps_seen_by_frontend_per_s": "workflow tasks completed, as the frontend counts",
        "steps_seen_by_history_per_s": "workflow tasks completed, as history counts",
        "steps_seen_by_workers_per_s": "workflow tasks executed, as workers count",
        "frontend_error_ratio": "share of frontend calls that fail",
        "loaded_partitions": "task-queue partitions in memory",
        # --- primaries ---------------------------------------------------------------------------
        "transitions_per_s": "state transitions",
        "transition_p95_ms": "p95 latency of workflow changes",
        "transition_p99_ms": "p99 latency of workflow changes",
        "mutations_per_s": "workflow changes",
        "completions_per_s": "workflows closed with success",
        "closings_per_s": "workflows closed",
        "completion_ratio": "share of closings with success",
        "history_backlog_age_s": "age of history's queues",
        "active_tasks_acked_per_s": "active history tasks done",
        "history_tasks_acked_per_s": "history tasks done",
        "due_tasks_loaded_per_s": "due history tasks loaded",
        "due_tasks_acked_per_s": "due history tasks done",
        "shards_moved_ratio": "shards moved",
        "shards_moved_before_ratio": "shards moved in the window before",
        "frontend_errors_per_s": "frontend errors",
        "frontend_requests_per_s": "frontend requests",
        "frontend_p95_ms": "p95 latency of frontend calls",
        "frontend_p99_ms": "p99 latency of frontend calls",
        "frontend_short_calls_per_s": "short frontend calls",
        "workflow_backlog_age_s": "age of the oldest workflow task in matching",
        "activity_backlog_age_s": "age of the oldest activity task in matching",
        "no_poller_tasks_per_s": "tasks added to queues without a poller",
        "persistence_p95_ms": "p95 latency of database calls",
        "persistence_p99_ms": "p99 latency of database calls",
        "persistence_errors_per_s": "database errors",
        "persistence_error_ratio": "share of database calls that fail",
        "persistence_requests_per_s": "database calls",
        "retention_deletes_per_s": "retention deletions",
        "cleanup_deletes_per_s": "workflows deleted",
        # --- the workers' own view ---------------------------------------------------------------
        "workflow_task_wait_p95_ms": "p95 wait of workflow tasks for a worker",
        "workflow_task_wait_p99_ms": "p99 wait of workflow tasks for a worker",
        "activity_wait_p95_ms": "p95 wait of activities for a worker",
        "activity_wait_p99_ms": "p99 wait of activities for a worker",
        "workflow_slots_free": "free workflow-task slots",
        "workflow_slots_used": "workflow-task slots in use",
        "activity_slots_free": "free activity slots",
        "activity_slots_used": "activity slots in use",
        "workflow_pollers": "open polls for workflow tasks",
        "activity_pollers": "open polls for activity tasks",
        "sticky_cache_size": "workflow runs cached by workers",
        "sticky_cache_hit_ratio": "share of sticky tasks that found their run cached",
        "sticky_cache_misses_per_s": "sticky tasks that missed the cache",
        "worker_long_poll_p95_ms": "p95 latency of long polls",
        "worker_poll_failures_per_s": "failed polls of workers",
        "activity_failures_per_s": "activities that fail",
        "pollers_exceed_slots": "a queue with more pollers than slots",
        # --- amplifiers --------------------------------------------------------------------------
        "occ_conflicts_per_s": "transaction conflicts",
        "lost_races_per_s": "lost races on workflow state",
        "serialization_failures_per_s": "serialization failures",
        "persistence_retries_per_s": "transaction retries",
        "pool_used_pct": "database connections in use, fullest pool",
        "pool_waits_per_s": "waits for a database connection",
        "pool_wait_ms_per_s": "time waited for a database connection",
        "connections_opened_per_s": "database connections opened",
        "connections_closed_per_s": "database connections closed",
        "backlog_tasks": "tasks waiting in matching",
        "wasted_attempts_ratio": "share of history task attempts in vain",
        "cache_hit_ratio": "share of hits in history's cache",
        "cache_evictions_per_s": "evictions from history's cache",
        "cache_fill_ratio": "fill of history's cache",
        "hot_shard_ratio": "busiest shard over the median shard",
        "busiest_shard_per_s": "database calls of the busiest shard",
        "requests_in_flight": "requests in flight",
        "goroutines": "goroutines of the largest process",
        "gc_pause_ratio": "share of time in garbage collection",
        "heap_bytes": "heap of the largest process",
        "cpu_throttled_ratio": "share of time throttled",
        "rate_limited_per_s": "calls turned away at a limit",
        "admission_rejects_per_s": "calls turned away by the frontend",
        "membership_changes_per_min": "membership changes",
        "processes_restarted": "server processes restarted",
        "leader_changes_per_min": "leader changes",
    }
)
"""Phrase by name; every signal and every quantity has one."""


SIGHT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "fresh": "all signals that the rules need are seen",
        "partial": "some signals that the rules need are missing, or were and may still matter",
        "blind": "no server process is seen, and the status is the one from before",
    }
)
"""What each state of evidence means, as the end of a sentence."""


def phrase(name: str) -> str:
    """What a signal or a quantity is called; the name itself for one that has no phrase.

    A log pattern, `log:<service>/<pattern>`, is called `<pattern> in the log of <service>`; `*`
    stands for all services.
    """
    if name.startswith("log:"):
        service, _, pattern = name.removeprefix("log:").partition("/")
        return f"{pattern} in the {'logs' if service == '*' else 'log of ' + service}"
    return PHRASES.get(name, name)
