"""`worker_settings.json`: worker options for workers that read their settings from a file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from dsql_config.adapters.protocol import Rendered, SDKAdapter, expected_of_sdk
from dsql_config.profile import Profile

LEFT_OUT: Final = {
    "workers.graceful_stop_s": "the service manager that stops these workers decides it"
}


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """Every worker option by its parameter's name, but for those that others decide."""

    name: str = "settings"

    def render(self, profile: Profile) -> Rendered:
        written = expected_of_sdk() - LEFT_OUT.keys()
        settings = {name: profile.value(name) for name in sorted(written)}
        return Rendered(
            files={"worker_settings.json": f"{json.dumps(settings, indent=2)}\n".encode()},
            written=written,
            left_out=LEFT_OUT,
            usage=("Workers read `worker_settings.json` when they start.",),
        )


ADAPTER: Final[SDKAdapter] = WorkerSettings()
