"""Settings of the relay process."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from copilot_eventlog.settings import EventLogSettings
from copilot_service import ServiceSettings
from copilot_streams.kafka import KafkaSettings


class RelaySettings(ServiceSettings, KafkaSettings, EventLogSettings):
    """What the relay needs to know."""

    model_config = SettingsConfigDict(
        env_prefix="COPILOT_", frozen=True, extra="ignore", populate_by_name=True
    )

    relay_samples: bool = Field(
        False, description="publish SampleRecorded and LogSampleRecorded too"
    )
    relay_patience_s: Annotated[float, Field(gt=0)] = Field(
        90.0, description="seconds to wait for a log or broker that is away before the process ends"
    )
