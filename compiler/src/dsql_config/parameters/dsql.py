"""Connections to Aurora DSQL: the pool, the reservoir that keeps it warm, and what shares the
cluster's 10,000 connections and 100 new ones per second among the processes.

Variables and their defaults: the DSQL persistence plugin (builds of 2026-01 and later)."""

from __future__ import annotations

from typing import Final

from copilot_core.events import Apply

from dsql_config.parameters.parameter import Env, Form, Kind, Parameter
from dsql_config.profile import ParameterClass

TUNING: Final = ParameterClass.TUNING
SAFETY: Final = ParameterClass.SAFETY
_RESERVOIR: Final = "dsql.reservoir_enabled"
_DISTRIBUTED: Final = "dsql.limiter == 'distributed'"
_BLOCKS: Final = "dsql.slot_blocks_enabled and dsql.plugin_build == 'slot-blocks'"

PARAMETERS: Final = (
    Parameter("dsql.processes", SAFETY, Kind.INT, "processes", minimum=1,
        formula="history_replicas + matching_replicas + frontend_replicas + worker_replicas",
        why="Processes that connect to the database."),
    Parameter("dsql.pools_per_process", SAFETY, Kind.INT, "pools", minimum=1, maximum=2,
        formula="2 if visibility_store == 'sql' else 1",
        why="Connection pools in each process: one for the main store, one more for an SQL visibility store.",
        rails=("total-connections",)),
    Parameter("dsql.pool_max_connections", TUNING, Kind.INT, "connections per pool", base=10, minimum=1, maximum=10_000,
        formula="max(base, ceil(state_transitions_per_s * HISTORY_CALLS * CALL_S * BURST * HOSTS_LOST / history_replicas))",
        why="Connections of one pool: calls per second times the time each holds one (Little's law), for the "
            "busiest service, history.",
        writes=(Env("TEMPORAL_SQL_MAX_CONNS"),), rails=("total-connections", "idle-differs-from-max")),
    Parameter("dsql.pool_max_idle_connections", TUNING, Kind.INT, "connections per pool", minimum=0, maximum=10_000,
        formula="dsql.pool_max_connections", enforce=("idle-differs-from-max", "dsql.pool_max_connections"),
        why="Idle connections that a pool keeps. Fewer than its maximum makes it close and open connections "
            "all the time, and new connections are what DSQL has least of.",
        writes=(Env("TEMPORAL_SQL_MAX_IDLE_CONNS"),), rails=("idle-differs-from-max",)),
    Parameter("dsql.connection_lifetime_s", TUNING, Kind.INT, "s", base=3_000, minimum=0, maximum=86_400,
        why="Age at which a pool without reservoir replaces a connection; DSQL cuts it at 60 minutes. With "
            "the reservoir the plugin manages lifetimes itself and ignores this.",
        writes=(Env("TEMPORAL_SQL_MAX_CONN_LIFETIME", Form.GO_DURATION),), rails=("lifetime-reaches-limit",)),
    Parameter("dsql.total_connections", SAFETY, Kind.INT, "connections", minimum=1,
        formula="dsql.pool_max_connections * dsql.processes * dsql.pools_per_process",
        why="Connections of the whole cluster when every pool is full.", rails=("total-connections",)),
    Parameter("dsql.token_duration_s", TUNING, Kind.INT, "s", base=840, minimum=15, maximum=900,
        why="Validity of the login token; the plugin ignores values outside 15 s to 15 min.",
        writes=(Env("DSQL_TOKEN_DURATION", Form.GO_DURATION),)),
    Parameter("dsql.plugin_build", TUNING, Kind.CHOICE, "", base="slot-blocks", choices=("2026-01", "slot-blocks"),
        why="Build of the DSQL plugin: slot blocks and the refiller's limit came after January 2026."),
    Parameter("dsql.reservoir_enabled", TUNING, Kind.BOOL, "", base=False,
        why="Keep connections open ahead of need, so that no request waits for a handshake.",
        writes=(Env("DSQL_RESERVOIR_ENABLED"),), rails=("reservoir-without-target", "reservoir-without-jitter")),
    Parameter("dsql.reservoir_target", TUNING, Kind.INT, "connections per pool", minimum=0, maximum=10_000,
        formula="dsql.pool_max_connections if dsql.reservoir_enabled else 0",
        why="Connections that the reservoir keeps ready: the whole pool.",
        writes=(Env("DSQL_RESERVOIR_TARGET_READY", when=_RESERVOIR),), rails=("reservoir-without-target",)),
    Parameter("dsql.reservoir_low_watermark", TUNING, Kind.INT, "connections per pool", minimum=0, maximum=10_000,
        formula="dsql.reservoir_target",
        why="Ready connections that a starting process waits for.",
        writes=(Env("DSQL_RESERVOIR_LOW_WATERMARK", when=_RESERVOIR),)),
    Parameter("dsql.reservoir_base_lifetime_s", TUNING, Kind.INT, "s", base=660, minimum=1, maximum=86_400,
        why="Age at which the reservoir replaces a connection, before jitter.",
        writes=(Env("DSQL_RESERVOIR_BASE_LIFETIME", Form.GO_DURATION, when=_RESERVOIR),), rails=("lifetime-reaches-limit",)),
    Parameter("dsql.reservoir_jitter_s", TUNING, Kind.INT, "s", base=120, minimum=0, maximum=86_400,
        enforce=("reservoir-without-jitter", "max(value, 60) if dsql.reservoir_enabled else value"),
        why="Spread of those ages. Without it all connections of a process end together and come back "
            "together, against 100 new ones per second for the cluster.",
        writes=(Env("DSQL_RESERVOIR_LIFETIME_JITTER", Form.GO_DURATION, when=_RESERVOIR),),
        rails=("reservoir-without-jitter", "lifetime-reaches-limit")),
    Parameter("dsql.reservoir_guard_window_s", TUNING, Kind.INT, "s", base=45, minimum=0, maximum=3_600,
        why="Life that a connection must have left to be handed out.",
        writes=(Env("DSQL_RESERVOIR_GUARD_WINDOW", Form.GO_DURATION, when=_RESERVOIR),)),
    Parameter("dsql.reservoir_fill_timeout_s", TUNING, Kind.INT, "s", base=30, minimum=1, maximum=3_600,
        formula="max(base, ceil(BURST * dsql.total_connections / DSQL_CONNECTS_PER_S))",
        why="How long a starting process waits for its reservoir: twice what opening every connection of "
            "the cluster takes at 100 a second.",
        writes=(Env("DSQL_RESERVOIR_INITIAL_FILL_TIMEOUT", Form.GO_DURATION, when=_RESERVOIR),)),
    Parameter("dsql.reservoir_inflight", TUNING, Kind.INT, "connects at once per process", base=8, minimum=1, maximum=100,
        why="Connections that one process opens at the same time.",
        writes=(Env("DSQL_RESERVOIR_INFLIGHT_LIMIT",
                    when="dsql.reservoir_enabled and dsql.plugin_build == 'slot-blocks'"),)),
    Parameter("dsql.limiter", TUNING, Kind.CHOICE, "", base="per-instance", choices=("per-instance", "distributed"),
        why="Who counts new connections: each process for itself, or all together in a DynamoDB table.",
        rails=("limiter-without-table", "connect-rate")),
    Parameter("dsql.connects_per_s", TUNING, Kind.INT, "1/s per process", base=10, minimum=1, maximum=100,
        formula="max(1, min(base, floor(DSQL_CONNECTS_PER_S / dsql.processes)))",
        why="New connections per second of one process: its share of the cluster's 100.",
        writes=(Env("DSQL_CONNECTION_RATE_LIMIT"),), rails=("connect-rate",)),
    Parameter("dsql.connect_burst", TUNING, Kind.INT, "connections per process", base=100, minimum=1, maximum=1_000,
        formula="max(1, min(base, floor(DSQL_CONNECT_BURST / dsql.processes)))",
        why="New connections that one process may open at once: its share of the cluster's burst of 1,000.",
        writes=(Env("DSQL_CONNECTION_BURST_LIMIT"),)),
    Parameter("dsql.limiter_enabled", SAFETY, Kind.BOOL, "", formula=_DISTRIBUTED,
        why="Whether the plugin asks the table before it connects.",
        writes=(Env("DSQL_DISTRIBUTED_RATE_LIMITER_ENABLED"),)),
    Parameter("dsql.limiter_table", TUNING, Kind.TEXT, "", base="",
        why="DynamoDB table of the distributed limiter. Without it the plugin falls back to each process "
            "for itself.",
        writes=(Env("DSQL_DISTRIBUTED_RATE_LIMITER_TABLE", when=_DISTRIBUTED),), rails=("limiter-without-table",)),
    Parameter("dsql.limiter_connects_per_s", TUNING, Kind.INT, "1/s", base=100, minimum=1, maximum=100_000,
        why="New connections per second of all processes together.",
        writes=(Env("DSQL_DISTRIBUTED_RATE_LIMITER_LIMIT", when=_DISTRIBUTED),), rails=("connect-rate",)),
    Parameter("dsql.limiter_max_wait_s", TUNING, Kind.INT, "s", base=30, minimum=1, maximum=600,
        formula="max(base, ceil(dsql.total_connections / dsql.limiter_connects_per_s))",
        why="How long a process waits for its turn: everyone's turn, when all start at once.",
        writes=(Env("DSQL_DISTRIBUTED_RATE_LIMITER_MAX_WAIT", Form.GO_DURATION, when=_DISTRIBUTED),)),
    Parameter("dsql.cluster_connects_per_s", SAFETY, Kind.INT, "1/s", minimum=1,
        formula="dsql.limiter_connects_per_s if dsql.limiter == 'distributed' else dsql.connects_per_s * dsql.processes",
        why="New connections per second that the whole cluster may open.", rails=("connect-rate",)),
    Parameter("dsql.slot_blocks_enabled", TUNING, Kind.BOOL, "", base=False,
        why="Lease connections in blocks from a table, so that all processes together stay below the "
            "cluster's limit.",
        writes=(Env("DSQL_DISTRIBUTED_CONN_LEASE_ENABLED"),), rails=("slot-blocks-without-table",)),
    Parameter("dsql.lease_table", TUNING, Kind.TEXT, "", base="",
        why="DynamoDB table of the leases. Without it the plugin logs an error and leases nothing.",
        writes=(Env("DSQL_DISTRIBUTED_CONN_LEASE_TABLE", when="dsql.slot_blocks_enabled"),),
        rails=("slot-blocks-without-table",)),
    Parameter("dsql.connection_limit", SAFETY, Kind.INT, "connections", base=10_000, minimum=1, maximum=10_000,
        why="Connections that DSQL allows a cluster; what the leases add up to.",
        writes=(Env("DSQL_DISTRIBUTED_CONN_LIMIT",
                    when="dsql.slot_blocks_enabled and dsql.plugin_build == '2026-01'"),)),
    Parameter("dsql.slot_block_size", TUNING, Kind.INT, "connections", base=100, minimum=1, maximum=10_000,
        why="Connections in one leased block.", writes=(Env("DSQL_SLOT_BLOCK_SIZE", when=_BLOCKS),)),
    Parameter("dsql.slot_block_count", TUNING, Kind.INT, "blocks", minimum=1, maximum=10_000,
        formula="floor(dsql.connection_limit / dsql.slot_block_size)",
        why="Blocks in all: together the cluster's limit.", writes=(Env("DSQL_SLOT_BLOCK_COUNT", when=_BLOCKS),)),
    Parameter("dsql.slot_block_ttl_s", TUNING, Kind.INT, "s", base=180, minimum=1, maximum=86_400,
        why="How long a block of a process that died stays taken.",
        writes=(Env("DSQL_SLOT_BLOCK_TTL", Form.GO_DURATION, when=_BLOCKS),)),
    Parameter("dsql.slot_block_renew_s", TUNING, Kind.INT, "s", minimum=1, maximum=86_400,
        formula="max(1, floor(dsql.slot_block_ttl_s / 3))",
        why="How often a process renews its blocks: it may miss two renewals.",
        writes=(Env("DSQL_SLOT_BLOCK_RENEW_INTERVAL", Form.GO_DURATION, when=_BLOCKS),)),
    Parameter("dsql.staggered_startup", TUNING, Kind.BOOL, "", base=True,
        why="Wait a random moment before the first connection.",
        writes=(Env("DSQL_STAGGERED_STARTUP"),)),
    Parameter("dsql.stagger_max_delay_s", TUNING, Kind.INT, "s", base=5, minimum=0, maximum=600,
        formula="max(base, ceil(dsql.processes / 4))",
        why="Upper bound of that moment: four processes a second.",
        writes=(Env("DSQL_STAGGERED_STARTUP_MAX_DELAY", Form.GO_DURATION, when="dsql.staggered_startup"),)),
)  # fmt: skip
