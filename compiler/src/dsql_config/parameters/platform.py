"""What the platform must know: image and size of the server's processes."""

from __future__ import annotations

from typing import Final

from dsql_config.parameters.parameter import Kind, Parameter
from dsql_config.profile import ParameterClass

TUNING: Final = ParameterClass.TUNING

PARAMETERS: Final = (
    Parameter("platform.server_image", TUNING, Kind.TEXT, "", base="temporal-dsql:latest",
        why="Image of a Temporal server that was built with the DSQL plugin; upstream images lack it."),
    Parameter("platform.history_cpu_units", TUNING, Kind.INT, "1/1024 core per task", base=1_024, minimum=256, maximum=16_384,
        formula="min(16384, max(base, power_of_two(state_transitions_per_s * CPU_UNITS * HOSTS_LOST / history_replicas)))",
        why="Processor share of a history process, in the sizes that Fargate sells."),
    Parameter("platform.matching_cpu_units", TUNING, Kind.INT, "1/1024 core per task", base=512, minimum=256, maximum=16_384,
        formula="min(16384, max(base, power_of_two(state_transitions_per_s * CPU_UNITS / 4 * HOSTS_LOST / matching_replicas)))",
        why="Processor share of a matching process."),
    Parameter("platform.frontend_cpu_units", TUNING, Kind.INT, "1/1024 core per task", base=512, minimum=256, maximum=16_384,
        formula="min(16384, max(base, power_of_two(state_transitions_per_s * CPU_UNITS / 4 * HOSTS_LOST / frontend_replicas)))",
        why="Processor share of a frontend process."),
    Parameter("platform.worker_cpu_units", TUNING, Kind.INT, "1/1024 core per task", base=512, minimum=256, maximum=16_384,
        why="Processor share of a process of the server's worker service."),
    Parameter("platform.memory_mib_per_core", TUNING, Kind.INT, "MiB per core", base=2_048, minimum=2_048, maximum=8_192,
        why="Memory per core of every process; Fargate sells 2 to 8 GiB per core."),
)  # fmt: skip
