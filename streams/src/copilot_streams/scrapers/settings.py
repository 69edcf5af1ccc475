"""Settings of the scraper process: the only place of this package that reads the environment."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from pydantic import Field

from copilot_core.errors import Rejected
from copilot_service import ServiceSettings
from copilot_streams.kafka import KafkaSettings


class ScraperSettings(ServiceSettings, KafkaSettings):
    """How the scraper asks and delivers; what it asks is in the clusters file."""

    clusters_file: Path = Field(description="TOML file that names the watched clusters")
    clusters_reload_s: Annotated[float, Field(gt=0)] = Field(
        10.0, description="seconds between looks at the clusters file"
    )
    scraper_settle_s: Annotated[float, Field(ge=0)] = Field(
        2.0, description="seconds after a slot's begin at which metrics are asked for"
    )
    scraper_log_settle_s: Annotated[float, Field(ge=0)] = Field(
        5.0, description="seconds after a slot's begin at which logs are asked for"
    )
    scraper_query_timeout_s: Annotated[float, Field(gt=0)] = Field(
        5.0, description="seconds for one query"
    )
    scraper_deadline_s: Annotated[float, Field(gt=0)] = Field(
        15.0, description="seconds for all queries of a slot; never more than the slot leaves"
    )
    scraper_concurrency: Annotated[int, Field(ge=1, le=64)] = Field(
        8, description="queries in flight per backend"
    )
    scraper_max_answer_bytes: Annotated[int, Field(ge=1024)] = Field(
        1024 * 1024, description="largest answer of a backend that is read, in bytes"
    )
    scraper_dialect_again_s: Annotated[int, Field(ge=1)] = Field(
        600, description="seconds after which known dialects are probed again"
    )
    scraper_buffer_slots: Annotated[int, Field(ge=1)] = Field(
        120, description="messages kept per cluster while Kafka is away; then the oldest is dropped"
    )


def token_in(variable: str, *, cluster: str) -> str:
    """The bearer token in a variable that the clusters file names; `Rejected` when it is unset."""
    token = os.environ.get(variable, "")
    if not token:
        raise Rejected(
            f"{variable} is not set",
            where=f"cluster {cluster!r}, bearer_token_env",
            code="clusters_file",
            todo="set the variable for this process, or take the key out of the clusters file",
        )
    return token
