"""Settings of the log's connection, read by the process that uses it.

Every variable has the prefix `COPILOT_`: `COPILOT_LOG_DSN`, `COPILOT_LOG_AUTH`, …
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import parse_qs, unquote, urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from copilot_eventlog.statements import Dialect

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class LogAuth(StrEnum):
    """How one logs in: a password (in the DSN, or none), or an IAM token of Aurora DSQL."""

    PASSWORD = "password"
    IAM = "iam"


class LogTls(StrEnum):
    """How much the connection is protected."""

    VERIFY_FULL = "verify-full"
    """Encrypted; certificate and host name are checked."""
    REQUIRE = "require"
    """Encrypted; anybody can pretend to be the server."""
    DISABLE = "disable"


class EventLogSettings(BaseSettings):
    """Where the log is and how to reach it. Frozen; unknown variables are left alone."""

    model_config = SettingsConfigDict(
        env_prefix="COPILOT_", frozen=True, extra="ignore", populate_by_name=True
    )

    log_dsn: SecretStr = Field(description="postgresql://user[:password]@host[:port]/database")
    log_auth: LogAuth = Field(
        LogAuth.PASSWORD, description="password, or iam for Aurora DSQL (role admin or your own)"
    )
    log_region: str | None = Field(None, description="AWS region of the cluster; needed with iam")
    log_tls: LogTls | None = Field(
        None,
        description="verify-full, require or disable; unset: verify-full, on loopback disable",
    )
    log_tls_ca_file: Path | None = Field(
        None, description="PEM file of the authorities to trust; unset: those of the system"
    )
    log_pool_size: Annotated[int, Field(ge=1, le=1000)] = Field(
        10, description="connections that one process may hold"
    )
    log_connect_timeout_s: Annotated[float, Field(gt=0)] = Field(
        5.0, description="seconds to wait for a connection"
    )
    log_command_timeout_s: Annotated[float, Field(gt=0)] = Field(
        10.0, description="seconds to wait for the answer to a statement"
    )
    log_connection_lifetime_s: Annotated[float, Field(gt=0, le=3300)] = Field(
        2700.0, description="seconds after which a connection is replaced; DSQL ends them at 3600"
    )

    @field_validator("log_dsn")
    @classmethod
    def _complete(cls, dsn: SecretStr) -> SecretStr:
        parts = urlsplit(dsn.get_secret_value())
        if parts.scheme not in ("postgresql", "postgres"):
            raise ValueError("must begin with postgresql://")
        if "sslmode" in parse_qs(parts.query):
            raise ValueError("say sslmode with COPILOT_LOG_TLS, not in the address")
        return dsn

    @field_validator("log_tls_ca_file")
    @classmethod
    def _is_there(cls, path: Path | None) -> Path | None:
        if path is not None and not path.is_file():
            raise ValueError(f"COPILOT_LOG_TLS_CA_FILE: no file at {path}")
        return path

    @model_validator(mode="after")
    def _iam_is_complete(self) -> Self:
        if self.log_auth is LogAuth.IAM:
            if not self.log_region:
                raise ValueError("COPILOT_LOG_AUTH=iam needs COPILOT_LOG_REGION")
            if not self.host or not self.user:
                raise ValueError("COPILOT_LOG_AUTH=iam needs user and host in COPILOT_LOG_DSN")
            if self.tls is LogTls.DISABLE:
                raise ValueError("COPILOT_LOG_AUTH=iam sends its token over TLS only")
        return self

    @property
    def dialect(self) -> Dialect:
        """Only DSQL takes the tokens that `iam` signs, and it takes nothing else."""
        return Dialect.DSQL if self.log_auth is LogAuth.IAM else Dialect.POSTGRES

    @property
    def host(self) -> str:
        """Host name of the address; empty for a socket."""
        return urlsplit(self.log_dsn.get_secret_value()).hostname or ""

    @property
    def user(self) -> str:
        """Role name of the address; empty when the address has none."""
        return unquote(urlsplit(self.log_dsn.get_secret_value()).username or "")

    @property
    def tls(self) -> LogTls:
        """What was set, or what follows from where the server is."""
        if self.log_tls is not None:
            return self.log_tls
        return LogTls.DISABLE if not self.host or self.host in LOOPBACK else LogTls.VERIFY_FULL
