"""`worker_options.py`: a module for the Python SDK's workers (`temporalio` 1.35 and later).

Theory of operation. The registry says which keyword argument of `temporalio.worker.Worker` takes a
parameter, and which class it is put into. The module gives them as a dict for `Worker(…, **…)`, and
the `Runtime` that makes the workers' metrics readable: names with units and `_total` as the Go SDK
writes them, durations in seconds, and waiting times in buckets that tell the target from twice the
target. The SDK's own first bucket ends at 100 ms, below which the targets of fast workloads vanish.
Run as a script, the module constructs everything that needs no server and says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from copilot_core.values import Scalar
from dsql_config.adapters.protocol import Rendered, SDKAdapter
from dsql_config.adapters.reasons import reason
from dsql_config.entries import spelled
from dsql_config.parameters import PARAMETERS
from dsql_config.parameters.parameter import Form, Parameter, PythonOption
from dsql_config.profile import Profile
from dsql_config.stamp import stamp

FILE: Final = "worker_options.py"
_COMMENT_WIDTH: Final = 86

_HEAD: Final = '''\
"""The options of this configuration's workers, and the runtime that makes their metrics readable.

    client = await Client.connect(address, runtime=runtime("0.0.0.0:9090"))
    worker = Worker(client, task_queue=..., workflows=[...], **worker_options())

Run as a script, it constructs them against the installed SDK.
"""

{stamp}

from __future__ import annotations

import inspect
from datetime import timedelta
from typing import Any

from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig
from temporalio.worker import PollerBehaviorSimpleMaximum, Worker


def worker_options() -> dict[str, Any]:
    """Keyword arguments of `temporalio.worker.Worker`.

    Activities that are no coroutines also need `activity_executor`, with {threads} threads.
    """
    return {{
'''
_TAIL: Final = '''\
    }}


WAIT_BUCKETS_S = ({buckets})
"""Upper ends of the buckets for waiting tasks; the target is {target_s} s."""


def runtime(bind_address: str) -> Runtime:
    """A runtime that serves metrics at `http://<bind_address>/metrics`."""
    waits = (
        "temporal_workflow_task_schedule_to_start_latency",
        "temporal_activity_schedule_to_start_latency",
    )
    metrics = PrometheusConfig(
        bind_address=bind_address,
        counters_total_suffix=True,
        unit_suffix=True,
        durations_as_seconds=True,
        histogram_bucket_overrides=dict.fromkeys(waits, WAIT_BUCKETS_S),
    )
    return Runtime(telemetry=TelemetryConfig(metrics=metrics))


def main() -> None:
    options = worker_options()
    inspect.signature(Worker).bind_partial(**options)
    runtime("127.0.0.1:0")
    print(f"{{len(options)}} worker options and the runtime fit the installed SDK")


if __name__ == "__main__":
    main()
'''
_TARGET_SHARES: Final = (0.1, 0.2, 0.5, 1, 2, 5, 10, 50, 100)
"""Bucket ends as multiples of the schedule-to-start target: the target is one of them, so that the
share of tasks within it is exact, and waits far above it still differ."""
_USAGE: Final = (
    f"Put `{FILE}` beside your workers: connect with `runtime(…)` and make each worker with "
    f"`Worker(client, …, **worker_options())`. `python {FILE}` tells whether it fits the installed "
    "`temporalio`.",
)


@dataclass(frozen=True, slots=True)
class PythonAdapter:
    """Worker options for the Python SDK."""

    name: str = "python"

    def render(self, profile: Profile) -> Rendered:
        """One importable module that is a script as well."""
        options = tuple(_options())
        lines = [line for option in options for line in _entry(profile, *option)]
        head = _HEAD.format(
            stamp="\n".join(stamp(profile)), threads=profile.value("workers.activity_slots")
        )
        body = "".join(f"        {line}\n" for line in lines)
        return Rendered(
            files={FILE: (head + body + _tail(profile)).encode()},
            written=frozenset(parameter.name for parameter, _ in options),
            usage=_USAGE,
        )


def _options() -> Iterator[tuple[Parameter, PythonOption]]:
    """Every parameter that the Python SDK takes, with where."""
    for parameter in PARAMETERS.values():
        for target in parameter.writes:
            if isinstance(target, PythonOption):
                yield parameter, target


def _entry(profile: Profile, parameter: Parameter, target: PythonOption) -> Iterator[str]:
    for line in reason(profile, parameter.name, width=_COMMENT_WIDTH):
        yield f"# {line}"
    yield f'"{target.name}": {_literal(profile.value(parameter.name), target)},'


def _literal(value: Scalar, target: PythonOption) -> str:
    """A value in Python: whole seconds as a `timedelta`, the rest inside its class."""
    if target.form is Form.SECONDS:
        return f"timedelta(seconds={value})"
    plain = repr(spelled(value, target.form))
    return f"{target.wrap}({plain})" if target.wrap else plain


def _tail(profile: Profile) -> str:
    target_ms = int(profile.value("schedule_to_start_ms"))
    ends = [f"{share * target_ms / 1000:.10g}" for share in _TARGET_SHARES]
    return _TAIL.format(buckets=", ".join(ends), target_s=f"{target_ms / 1000:.10g}")


ADAPTER: Final[SDKAdapter] = PythonAdapter()
