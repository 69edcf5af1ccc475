"""Settings of the processes that only this package has, and the environment of their parts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from copilot_service import ServiceSettings
from copilot_service.settings import PREFIX


def inherited() -> dict[str, str]:
    """The environment that a part gets from us."""
    return dict(os.environ)


def forget_ours() -> None:
    """Take our settings out of the environment: no installation leaks into a demo."""
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]


class AllInOneSettings(ServiceSettings):
    """What `copilot run all` needs; the parts it starts read settings of their own.

    What is not given is embedded: a database in `data_dir`, a broker in memory.
    """

    clusters_file: Path = Field(description="TOML file that names the watched clusters")
    log_dsn: SecretStr | None = Field(
        None, description="postgresql://…; unset: an embedded database in the data folder"
    )
    kafka_bootstrap: str = Field(
        "", description="comma-separated host:port of the brokers; unset: an embedded broker"
    )
    kafka_partitions: Annotated[int, Field(ge=1, le=1000)] = Field(
        4, description="partitions of the topics, when they are made here"
    )
    temporal_address: str = Field(
        "",
        description="host:port of the copilot's own Temporal server; unset: no trigger, no agents",
    )
    data_dir: Path = Field(
        Path("copilot-data"), description="folder of the embedded database; made when missing"
    )


class ClientSettings(BaseSettings):
    """Where `copilot status` asks."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", hide_input_in_errors=True
    )

    api_url: str = Field("http://127.0.0.1:8080", description="address of the API to ask")
    api_token: SecretStr | None = Field(None, description="bearer token to send to the API")
