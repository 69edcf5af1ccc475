"""Settings that every process has, and the one way in which settings are read.

A process derives its own settings from `ServiceSettings` and reads them once, in its `main.py`,
with `read_settings`. Every variable has the prefix `COPILOT_`; a wrong or missing one is named,
together with what is wrong with it, before anything starts.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, TypeVar

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from copilot_core.errors import Rejected

PREFIX = "COPILOT_"


class LogFormat(StrEnum):
    """How log lines are written: for machines or for eyes."""

    JSON = "json"
    CONSOLE = "console"


class LogLevel(StrEnum):
    """The least severe log line that is written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class ServiceSettings(BaseSettings):
    """Settings that every process has. Frozen; unknown variables are left alone."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", populate_by_name=True
    )

    service_host: str = Field("127.0.0.1", description="address of /healthz, /readyz and /metrics")
    service_port: Annotated[int, Field(ge=0, le=65535)] = Field(
        0, description="port of /healthz, /readyz and /metrics; 0 opens none"
    )
    no_progress_exit_s: Annotated[float, Field(ge=0)] = Field(
        120.0, description="seconds without progress after which the process exits with 75; 0 never"
    )
    stop_timeout_s: Annotated[float, Field(gt=0)] = Field(
        10.0, description="seconds to end cleanly after SIGTERM or SIGINT"
    )
    log_level: LogLevel = Field(LogLevel.INFO, description="debug, info, warning or error")
    log_format: LogFormat = Field(LogFormat.JSON, description="json (one object a line) or console")


SettingsT = TypeVar("SettingsT", bound=BaseSettings)


def read_settings(cls: type[SettingsT]) -> SettingsT:
    """Read settings from the environment; the only place where that happens.

    Raises `Rejected` (code `settings`) with one finding per wrong variable, each named.
    """
    try:
        return cls()
    except ValidationError as e:
        findings = tuple(f"{_variable(f['loc'])}: {f['msg']}" for f in e.errors(include_url=False))
        raise Rejected(
            "; ".join(findings),
            code="settings",
            where="environment",
            findings=findings,
            todo="see docs/reference/settings.md",
        ) from e


def _variable(location: tuple[int | str, ...]) -> str:
    return PREFIX + "_".join(str(part) for part in location).upper() if location else "settings"
