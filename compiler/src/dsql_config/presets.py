"""Scale presets: three sizes of cluster, as values for parameters of the registry.

A preset defines no parameter of its own. `above` and `up_to` bound the state transitions per second
it is meant for; a target outside is told, not refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from types import MappingProxyType
from typing import Final

from copilot_core.values import Scalar


@dataclass(frozen=True, slots=True)
class Preset:
    """A size: what it is for, and the values it starts from."""

    name: str
    summary: str
    above: float
    up_to: float
    values: Mapping[str, Scalar]


_COLUMNS: Final = (
    "state_transitions_per_s", "workflow_completions_per_s", "schedule_to_start_ms", "end_to_end_ms",
    "history_shards", "history_replicas", "matching_replicas", "frontend_replicas",
    "worker_replicas", "read_partitions", "write_partitions", "sdk_workers",
    "dsql.pool_max_connections", "dsql.reservoir_enabled", "dsql.limiter", "dsql.limiter_table",
    "dsql.slot_blocks_enabled", "dsql.lease_table",
)  # fmt: skip

_ROWS: Final = (
    ("starter", "A first cluster: below 50 state transitions a second.", 0, 50,
        (25.0, 25.0, 500, 1_000, 512, 2, 2, 2, 1, 4, 4, 2, 10, False, "per-instance", "", False, "")),
    ("mid-scale", "A busy service: 50 to 500 state transitions a second.", 50, 500,
        (150.0, 150.0, 200, 500, 512, 6, 4, 3, 2, 8, 8, 8, 50, True, "per-instance", "", False, "")),
    ("high-throughput", "A platform: above 500 state transitions a second.", 500, inf,
        (1_000.0, 1_000.0, 100, 300, 4_096, 8, 6, 4, 2, 16, 16, 16, 50, True,
         "distributed", "temporal-dsql-rate-limiter", True, "temporal-dsql-conn-lease")),
)  # fmt: skip

PRESETS: Final[Mapping[str, Preset]] = MappingProxyType({
    name: Preset(name, summary, above, up_to, MappingProxyType(dict(zip(_COLUMNS, row, strict=True))))
    for name, summary, above, up_to, row in _ROWS
})  # fmt: skip
