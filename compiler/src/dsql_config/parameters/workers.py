"""Options of the SDK workers: slots, pollers, the sticky cache, eager activities.

Names and traps: Go `worker.Options` 1.48 and later, Python `temporalio.worker.Worker` 1.35."""

from __future__ import annotations

from typing import Final

from copilot_core.values import Apply
from dsql_config.parameters.parameter import (
    DynamicKey,
    Form,
    GoOption,
    Kind,
    Parameter,
    PythonOption,
)
from dsql_config.profile import ParameterClass

TUNING: Final = ParameterClass.TUNING
_MAXIMUM: Final = "PollerBehaviorSimpleMaximum"

PARAMETERS: Final = (
    Parameter("workers.workflow_task_slots", TUNING, Kind.INT, "slots per worker", base=20, minimum=0, maximum=100_000,
        formula="max(base, ceil(state_transitions_per_s * TASK_S * BURST * HOSTS_LOST / sdk_workers))",
        why="Workflow tasks that one worker runs at once.",
        writes=(GoOption("MaxConcurrentWorkflowTaskExecutionSize"), PythonOption("max_concurrent_workflow_tasks")),
        rails=("too-few-for-workflow-tasks", "pollers-above-slots")),
    Parameter("workers.activity_slots", TUNING, Kind.INT, "slots per worker", base=50, minimum=1, maximum=100_000,
        formula="max(base, ceil(state_transitions_per_s / 3 * ACTIVITY_S * BURST * HOSTS_LOST / sdk_workers))",
        why="Activities that one worker runs at once; at most one activity for three transitions.",
        writes=(GoOption("MaxConcurrentActivityExecutionSize"), PythonOption("max_concurrent_activities")),
        rails=("pollers-above-slots",)),
    Parameter("workers.local_activity_slots", TUNING, Kind.INT, "slots per worker", minimum=1, maximum=100_000,
        formula="workers.activity_slots",
        why="Local activities that one worker runs at once.",
        writes=(GoOption("MaxConcurrentLocalActivityExecutionSize"), PythonOption("max_concurrent_local_activities"))),
    Parameter("workers.nexus_slots", TUNING, Kind.INT, "slots per worker", base=100, minimum=1, maximum=100_000,
        why="Nexus operations that one worker runs at once; the SDKs' own defaults differ (Go 1000, Python 100).",
        writes=(GoOption("MaxConcurrentNexusTaskExecutionSize"), PythonOption("max_concurrent_nexus_tasks"))),
    Parameter("workers.workflow_task_pollers", TUNING, Kind.INT, "polls per worker", base=4, minimum=0, maximum=1_000,
        formula="max(base, ceil(state_transitions_per_s / 2 * POLL_S * BURST * HOSTS_LOST / sdk_workers))",
        enforce=("pollers-above-slots", "min(value, workers.workflow_task_slots)"),
        why="Workflow tasks that one worker asks for at once; every second transition brings one.",
        writes=(GoOption("MaxConcurrentWorkflowTaskPollers"), PythonOption("workflow_task_poller_behavior", wrap=_MAXIMUM)),
        rails=("too-few-for-workflow-tasks", "pollers-above-slots", "pollers-above-namespace-count")),
    Parameter("workers.activity_task_pollers", TUNING, Kind.INT, "polls per worker", base=4, minimum=1, maximum=1_000,
        formula="max(base, ceil(state_transitions_per_s / 3 * POLL_S * BURST * HOSTS_LOST / sdk_workers))",
        enforce=("pollers-above-slots", "min(value, workers.activity_slots)"),
        why="Activity tasks that one worker asks for at once.",
        writes=(GoOption("MaxConcurrentActivityTaskPollers"), PythonOption("activity_task_poller_behavior", wrap=_MAXIMUM)),
        rails=("pollers-above-slots", "pollers-above-namespace-count")),
    Parameter("workers.sticky_cache_size", TUNING, Kind.INT, "workflows per process", base=1_000, minimum=0, maximum=1_000_000,
        formula="max(base, min(10000, ceil(workflow_completions_per_s * end_to_end_ms / 1000 * BURST * HOSTS_LOST / sdk_workers)))",
        why="Workflows kept in memory between their tasks: those that are open, or every task replays a history. "
            "By itself no more than 10,000, the Go SDK's own default: memory is what it costs.",
        writes=(GoOption("SetStickyWorkflowCacheSize", call=True), PythonOption("max_cached_workflows"))),
    Parameter("workers.sticky_timeout_s", TUNING, Kind.INT, "s", base=0, minimum=0, maximum=3_600,
        formula="base if base > 0 else max(1, min(5, ceil(end_to_end_ms / 1000)))",
        why="How long a task waits for the worker that has its workflow in memory before any other may take "
            "it: what the loss of a worker costs its workflows. Whole seconds.",
        writes=(GoOption("StickyScheduleToStartTimeout", Form.SECONDS),
                PythonOption("sticky_queue_schedule_to_start_timeout", Form.SECONDS)),
        rails=("sticky-longer-than-workflow",)),
    Parameter("workers.eager_activities", TUNING, Kind.BOOL, "", base=False,
        why="Hand an activity to the worker that asked for it, without a task queue between. Saves a round "
            "trip; bypasses the limits of the activity's own queue.",
        writes=(DynamicKey("system.enableActivityEagerExecution", in_namespace=True),
                GoOption("DisableEagerActivities", Form.NOT), PythonOption("disable_eager_activity_execution", Form.NOT)),
        apply=Apply.RESTART),
    Parameter("workers.graceful_stop_s", TUNING, Kind.INT, "s", base=30, minimum=0, maximum=3_600,
        why="How long a stopping worker lets its activities finish.",
        writes=(GoOption("WorkerStopTimeout", Form.SECONDS), PythonOption("graceful_shutdown_timeout", Form.SECONDS))),
)  # fmt: skip
