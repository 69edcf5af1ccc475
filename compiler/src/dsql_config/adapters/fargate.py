"""The task sizes that Fargate sells.

Source: Amazon ECS developer guide, "Task definition parameters for Fargate", task size (2026-11).
"""

from __future__ import annotations

from typing import Final, NamedTuple

from copilot_core.errors import Rejected


class TaskSize(NamedTuple):
    """A size: CPU in units of 1/1024 core, memory in MiB."""

    cpu_units: int
    memory_mib: int


_MEMORIES_MIB: Final = (
    (256, (512, 1_024, 2_048)),
    (512, range(1_024, 4_096 + 1, 1_024)),
    (1_024, range(2_048, 8_192 + 1, 1_024)),
    (2_048, range(4_096, 16_384 + 1, 1_024)),
    (4_096, range(8_192, 30_720 + 1, 1_024)),
    (8_192, range(16_384, 61_440 + 1, 4_096)),
    (16_384, range(32_768, 122_880 + 1, 8_192)),
)

SIZES: Final = tuple(TaskSize(cpu, memory) for cpu, row in _MEMORIES_MIB for memory in row)
"""Every size, by CPU and then by memory."""


def smallest(*, cpu_units: int, memory_mib: int, where: str) -> TaskSize:
    """The smallest size with at least this CPU and this memory.

    Raises `Rejected` when there is none; `where` names what it is for.
    """
    for size in SIZES:
        if size.cpu_units >= cpu_units and size.memory_mib >= memory_mib:
            return size
    raise Rejected(
        f"Fargate sells no task with {cpu_units} CPU units and {memory_mib:,} MiB; its largest has "
        f"{SIZES[-1].cpu_units:,} and {SIZES[-1].memory_mib:,}",
        where=where,
        todo="run more replicas, or lower platform.memory_mib_per_core",
        code="no-fargate-size",
    )
