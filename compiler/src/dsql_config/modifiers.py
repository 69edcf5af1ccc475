"""Workload modifiers: what a kind of workload changes, as values for parameters of the registry.

A modifier's values replace the preset's; derivations go on from them, so a target that needs more
still gets more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from copilot_core.values import Scalar


@dataclass(frozen=True, slots=True)
class Modifier:
    """A kind of workload: what it looks like, the values it brings, and why those."""

    name: str
    summary: str
    why: str
    values: Mapping[str, Scalar]


MODIFIERS: Final[Mapping[str, Modifier]] = MappingProxyType({
    m.name: m
    for m in (
        Modifier("simple-crud", "Short workflows, one or two activities each.",
            "The round trip between two steps is most of the latency: hand activities over eagerly.",
            {"workers.eager_activities": True, "read_partitions": 4, "write_partitions": 4}),
        Modifier("orchestrator", "Workflows that start many activities and child workflows.",
            "Workflow tasks are the load: more slots and pollers for them, and more partitions.",
            {"read_partitions": 8, "write_partitions": 8,
             "workers.workflow_task_slots": 150, "workers.activity_slots": 150,
             "workers.workflow_task_pollers": 16, "workers.activity_task_pollers": 8}),
        Modifier("batch-processor", "Many activities at once, latency second.",
            "Activities are the load: many slots, many pollers, many partitions.",
            {"read_partitions": 16, "write_partitions": 16, "workers.activity_slots": 500,
             "workers.workflow_task_pollers": 16, "workers.activity_task_pollers": 16}),
        Modifier("long-running", "Workflows that stay open for hours or months and mostly wait.",
            "Workers should keep what they replayed: wait longer for the one that has it in memory.",
            {"workers.sticky_timeout_s": 10, "read_partitions": 4, "write_partitions": 4,
             "workers.workflow_task_pollers": 8, "workers.activity_task_pollers": 4}),
    )
})  # fmt: skip
