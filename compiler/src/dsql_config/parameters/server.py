"""Limits of the Temporal server: each per host, derived so that it stops a runaway and never the
load that was asked for, also while half of the hosts are away or catch up."""

from __future__ import annotations

from typing import Final

from copilot_core.values import Apply
from dsql_config.parameters.parameter import DynamicKey, Kind, Parameter
from dsql_config.profile import ParameterClass

TUNING: Final = ParameterClass.TUNING
SAFETY: Final = ParameterClass.SAFETY

PARAMETERS: Final = (
    Parameter("history.persistence_max_qps", TUNING, Kind.INT, "1/s per host", minimum=1, maximum=1_000_000,
        formula="ceil(state_transitions_per_s * HISTORY_CALLS * CATCH_UP * HOSTS_LOST / history_replicas)",
        why="Database calls that one history host may make. Above it calls fail with PersistenceLimit.",
        writes=(DynamicKey("history.persistenceMaxQPS"),), apply=Apply.LIVE),
    Parameter("matching.persistence_max_qps", TUNING, Kind.INT, "1/s per host", minimum=1, maximum=1_000_000,
        formula="ceil(state_transitions_per_s * MATCHING_CALLS * CATCH_UP * HOSTS_LOST / matching_replicas)",
        why="Database calls that one matching host may make: enough to spool and read back every task.",
        writes=(DynamicKey("matching.persistenceMaxQPS"),), apply=Apply.LIVE),
    Parameter("frontend.persistence_max_qps", TUNING, Kind.INT, "1/s per host", minimum=1, maximum=1_000_000,
        base=2_000, formula="max(base, ceil(workflow_completions_per_s * CATCH_UP * HOSTS_LOST / frontend_replicas))",
        why="Database calls that one frontend host may make: lists, history reads, namespaces.",
        writes=(DynamicKey("frontend.persistenceMaxQPS"),), apply=Apply.LIVE),
    Parameter("worker.persistence_max_qps", TUNING, Kind.INT, "1/s per host", base=500, minimum=1, maximum=1_000_000,
        formula="max(base, ceil(workflow_completions_per_s * BURST * HOSTS_LOST / worker_replicas))",
        why="Database calls of the server's worker service: scavengers, schedules, batch operations.",
        writes=(DynamicKey("worker.persistenceMaxQPS"),), apply=Apply.LIVE),
    Parameter("history.rps", TUNING, Kind.INT, "1/s per host", base=3_000, minimum=1, maximum=1_000_000,
        formula="max(base, ceil(state_transitions_per_s * RPCS * CATCH_UP * HOSTS_LOST / history_replicas))",
        why="Calls that one history host accepts.",
        writes=(DynamicKey("history.rps"),), apply=Apply.LIVE),
    Parameter("matching.rps", TUNING, Kind.INT, "1/s per host", base=1_200, minimum=1, maximum=1_000_000,
        formula="max(base, ceil(state_transitions_per_s * RPCS * CATCH_UP * HOSTS_LOST / matching_replicas))",
        why="Calls that one matching host accepts; polls count too.",
        writes=(DynamicKey("matching.rps"),), apply=Apply.LIVE),
    Parameter("frontend.rps", TUNING, Kind.INT, "1/s per host", base=2_400, minimum=1, maximum=1_000_000,
        formula="max(base, ceil(state_transitions_per_s * RPCS * CATCH_UP * HOSTS_LOST / frontend_replicas))",
        why="Calls that one frontend host accepts, all namespaces together.",
        writes=(DynamicKey("frontend.rps"),), apply=Apply.LIVE),
    Parameter("frontend.namespace_rps", TUNING, Kind.INT, "1/s per namespace and host", minimum=1, maximum=1_000_000,
        formula="frontend.rps",
        why="Calls that one frontend host accepts for one namespace: one workload may use the whole host.",
        writes=(DynamicKey("frontend.namespaceRPS", in_namespace=True),), apply=Apply.LIVE),
    Parameter("frontend.namespace_count", TUNING, Kind.INT, "polls per namespace, API and host",
        base=1_200, minimum=1, maximum=1_000_000,
        why="Long polls that one frontend host keeps open for one namespace and API. All workers may meet "
            "on one host after a restart of the others.",
        writes=(DynamicKey("frontend.namespaceCount", in_namespace=True),), apply=Apply.LIVE,
        rails=("pollers-above-namespace-count",)),
    Parameter("visibility.write_max_qps", TUNING, Kind.INT, "1/s per host", base=9_000, minimum=1, maximum=1_000_000,
        formula="max(base, ceil(workflow_completions_per_s * BURST * CATCH_UP * HOSTS_LOST / history_replicas))",
        why="Visibility records that one host may write: one at the start, one at the end of a workflow.",
        writes=(DynamicKey("system.visibilityPersistenceMaxWriteQPS"),), apply=Apply.LIVE),
    Parameter("history.acquire_shard_concurrency", TUNING, Kind.INT, "shards at once per host",
        base=10, minimum=1, maximum=1_000,
        formula="max(base, min(floor(dsql.pool_max_connections / 2), ceil(history_shards / history_replicas / CATCH_UP)))",
        why="Shards that a host takes over at once: the speed of recovery, at most half of its connections.",
        writes=(DynamicKey("history.acquireShardConcurrency"),), apply=Apply.RESTART),
    Parameter("history.shard_io_concurrency", SAFETY, Kind.INT, "writes at once per shard", base=1, minimum=1, maximum=1,
        why="Writes of one shard follow each other: DSQL answers concurrent writes to the same rows with "
            "conflicts (SQLSTATE 40001), not with a wait.",
        writes=(DynamicKey("history.shardIOConcurrency"),), apply=Apply.RESTART),
    Parameter("system.transaction_size_limit", SAFETY, Kind.INT, "bytes", base=4_194_304, minimum=1, maximum=4_194_304,
        why="Largest persistence transaction. DSQL refuses more than 10 MiB with index entries counted.",
        writes=(DynamicKey("system.transactionSizeLimit"),), apply=Apply.LIVE),
)  # fmt: skip
