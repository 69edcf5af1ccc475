"""Settings of the worker process."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Annotated

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from copilot_eventlog.settings import EventLogSettings
from copilot_service import ServiceSettings
from copilot_streams.kafka import KafkaSettings


class WorkerSettings(ServiceSettings, KafkaSettings, EventLogSettings):
    """What one worker needs to know."""

    model_config = SettingsConfigDict(
        env_prefix="COPILOT_", frozen=True, extra="ignore", populate_by_name=True
    )

    worker_id: str = Field(
        default_factory=socket.gethostname,
        min_length=1,
        description="static id of this worker, unique among running ones; unset: the host's name",
    )
    worker_group: str = Field(
        "copilot-worker", description="consumer group of all workers of a log"
    )
    worker_session_timeout_s: Annotated[float, Field(ge=6, le=300)] = Field(
        6.0, description="seconds after which Kafka gives the shards of a silent worker to others"
    )
    worker_patience_s: Annotated[float, Field(gt=0)] = Field(
        90.0, description="seconds to wait for a log that is away before the process ends"
    )
    worker_snapshot_every: Annotated[int, Field(ge=1)] = Field(
        500, description="events of a cluster between two snapshots of its state"
    )
    watchdog_lateness_s: Annotated[float, Field(ge=0)] = Field(
        15.0, description="seconds a sample may come after its interval has passed"
    )
    clusters_file: Path | None = Field(
        None, description="clusters.toml: who should report; unset: whoever ever has"
    )
    rules_file: Path | None = Field(None, description="TOML overlay over the rules as shipped")
