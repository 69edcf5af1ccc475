"""The questions: four targets that users must know, eleven facts about what runs where."""

from __future__ import annotations

from typing import Final

from copilot_core.values import Apply
from dsql_config.parameters.parameter import DynamicKey, Env, Kind, Parameter, Text
from dsql_config.profile import ParameterClass

SLO: Final = ParameterClass.SLO
TOPOLOGY: Final = ParameterClass.TOPOLOGY

PARAMETERS: Final = (
    Parameter("state_transitions_per_s", SLO, Kind.FLOAT, "1/s", minimum=0.1, maximum=100_000,
        why="State transitions per second that the cluster must carry, all namespaces together: "
            "what the database pays for. 3 for the smallest workflow, about 12 for one with two activities.",
        apply=Apply.LIVE, rails=("completions-above-transitions", "more-partitions-than-throughput")),
    Parameter("workflow_completions_per_s", SLO, Kind.FLOAT, "1/s", minimum=0.01, maximum=100_000,
        why="Workflows per second that must come to their end.",
        apply=Apply.LIVE, rails=("completions-above-transitions",)),
    Parameter("schedule_to_start_ms", SLO, Kind.INT, "ms", minimum=1, maximum=3_600_000,
        why="How long a task may wait for a worker, 95th percentile.",
        apply=Apply.LIVE, rails=("waits-longer-than-whole",)),
    Parameter("end_to_end_ms", SLO, Kind.INT, "ms", minimum=1, maximum=31_536_000_000,
        why="How long a workflow may take from start to end, 95th percentile, its own waiting left out.",
        apply=Apply.LIVE, rails=("waits-longer-than-whole", "sticky-longer-than-workflow")),
    Parameter("history_shards", TOPOLOGY, Kind.INT, "shards", minimum=1, maximum=65_536,
        why="History shards. Fixed for the life of a cluster: another number means another cluster.",
        writes=(Env("TEMPORAL_HISTORY_SHARDS"),), apply=Apply.RECREATE, rails=("fewer-shards-than-hosts",)),
    Parameter("history_replicas", TOPOLOGY, Kind.INT, "processes", minimum=1, maximum=1_000,
        why="History processes; they share the shards and do nearly all database work.",
        rails=("total-connections", "fewer-shards-than-hosts")),
    Parameter("matching_replicas", TOPOLOGY, Kind.INT, "processes", minimum=1, maximum=1_000,
        why="Matching processes; they share the task-queue partitions.", rails=("total-connections",)),
    Parameter("frontend_replicas", TOPOLOGY, Kind.INT, "processes", minimum=1, maximum=1_000,
        why="Frontend processes; clients and workers connect to them.", rails=("total-connections",)),
    Parameter("worker_replicas", TOPOLOGY, Kind.INT, "processes", minimum=1, maximum=1_000,
        why="Processes of the server's own worker service (not your SDK workers).",
        rails=("total-connections",)),
    Parameter("read_partitions", TOPOLOGY, Kind.INT, "partitions", minimum=1, maximum=1_000,
        why="Partitions per task queue that workers poll. Raise before the write partitions, lower after them.",
        writes=(DynamicKey("matching.numTaskqueueReadPartitions", in_namespace=True),),
        apply=Apply.LIVE, rails=("more-partitions-than-throughput", "write-above-read-partitions")),
    Parameter("write_partitions", TOPOLOGY, Kind.INT, "partitions", minimum=1, maximum=1_000,
        why="Partitions per task queue that tasks are written to.",
        writes=(DynamicKey("matching.numTaskqueueWritePartitions", in_namespace=True),),
        apply=Apply.LIVE, rails=("write-above-read-partitions",)),
    Parameter("sdk_workers", TOPOLOGY, Kind.INT, "processes", minimum=1, maximum=10_000,
        why="Your SDK worker processes.", rails=("pollers-above-namespace-count",)),
    Parameter("namespace", TOPOLOGY, Kind.TEXT, "", base="default",
        why="The namespace of the workload. Partition counts are set for it alone, so that the server's "
            "own queues keep theirs.", apply=Apply.LIVE),
    Parameter("visibility_store", TOPOLOGY, Kind.CHOICE, "", base="sql", choices=("sql", "opensearch"),
        why="Where visibility lives. An SQL store has a connection pool of its own in every process.",
        rails=("total-connections",)),
    Parameter("dsql_endpoint", TOPOLOGY, Kind.TEXT, "", base="", text=Text.HOST_NAME,
        why="Host name of the DSQL cluster; its region is read from it. Left out, the platform's files "
            "ask for it where they are started.",
        writes=(Env("CLUSTER_ENDPOINT", when="dsql_endpoint != ''"),
                Env("TEMPORAL_SQL_HOST", when="dsql_endpoint != ''"))),
)  # fmt: skip
