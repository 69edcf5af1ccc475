"""Settings of explainer and trigger, each read once by its `main.py`; those of the agents stand in
`worker/settings.py`, because they bring the agents' libraries along.

The explainer needs the log and nothing else. Trigger and agents need a Temporal server, which is
our own: never the cluster that is watched.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from copilot_eventlog.settings import EventLogSettings
from copilot_service import ServiceSettings
from copilot_service.settings import PREFIX

KEY_BYTES = 32
"""AES-256."""


class FollowerSettings(EventLogSettings):
    """How a process follows the log."""

    follow_poll_max_s: Annotated[float, Field(gt=0, le=60)] = Field(
        0.25, description="longest pause between two looks at the log while nothing happens"
    )
    follow_patience_s: Annotated[float, Field(gt=0)] = Field(
        90.0, description="seconds to wait for a log that is away before the process ends"
    )


class TemporalSettings(BaseSettings):
    """Where the copilot's own Temporal is and how to reach it; never the watched cluster."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        frozen=True,
        extra="ignore",
        populate_by_name=True,
        hide_input_in_errors=True,
    )

    temporal_address: str = Field(
        min_length=1, description="host:port of the copilot's own Temporal server"
    )
    temporal_namespace: str = Field("copilot", description="namespace of the workflows")
    temporal_task_queue: str = Field("copilot", description="task queue of the workflows")
    temporal_api_key: SecretStr | None = Field(None, description="API key, sent as bearer token")
    temporal_tls: bool = Field(
        False, description="TLS with the system's authorities; implied by the files and the key"
    )
    temporal_tls_ca_file: Path | None = Field(
        None, description="PEM file of the authority to trust; unset: those of the system"
    )
    temporal_tls_cert_file: Path | None = Field(
        None, description="PEM file of the client's certificate; needs the key file, too"
    )
    temporal_tls_key_file: Path | None = Field(
        None, description="PEM file of the client's private key"
    )
    temporal_payload_keys: SecretStr | None = Field(
        None,
        description="name=key, comma-separated; key: 32 bytes in base64. The first encrypts"
        " payloads, all decrypt; unset: payloads are readable on the server",
    )
    temporal_sdk_metrics: str = Field(
        "", description="host:port for the metrics of Temporal's SDK; unset: none"
    )
    temporal_call_timeout_s: Annotated[float, Field(gt=0)] = Field(
        15.0, description="seconds to wait for an answer of the server"
    )

    @field_validator("temporal_tls_ca_file", "temporal_tls_cert_file", "temporal_tls_key_file")
    @classmethod
    def _is_there(cls, path: Path | None) -> Path | None:
        if path is not None and not path.is_file():
            raise ValueError(f"no file at {path}")
        return path

    @field_validator("temporal_payload_keys")
    @classmethod
    def _are_keys(cls, keys: SecretStr | None) -> SecretStr | None:
        if keys is not None:
            keys_of(keys)
        return keys

    @model_validator(mode="after")
    def _certificate_has_key(self) -> Self:
        if (self.temporal_tls_cert_file is None) != (self.temporal_tls_key_file is None):
            raise ValueError(
                "COPILOT_TEMPORAL_TLS_CERT_FILE and COPILOT_TEMPORAL_TLS_KEY_FILE go together"
            )
        return self

    @property
    def payload_keys(self) -> dict[str, bytes]:
        """Keys by name, the encrypting one first; empty when payloads are not encrypted."""
        return keys_of(self.temporal_payload_keys) if self.temporal_payload_keys else {}


def keys_of(keys: SecretStr) -> dict[str, bytes]:
    """Read `name=key,…`. Raises `ValueError` that says which entry is wrong, and shows nothing of
    it: a key without a name looks like a name."""
    found: dict[str, bytes] = {}
    for n, entry in enumerate(keys.get_secret_value().split(","), start=1):
        name, _, encoded = entry.strip().partition("=")
        if not name or not encoded or name in found:
            raise ValueError(f"entry {n}: an entry is name=key, and a name stands once")
        try:
            key = base64.b64decode(encoded, validate=True)
        except ValueError as e:
            raise ValueError(f"entry {n}: its key is not base64") from e
        if len(key) != KEY_BYTES:
            raise ValueError(f"entry {n}: its key has {len(key)} bytes, {KEY_BYTES} are needed")
        found[name] = key
    return found


class ExplainerSettings(ServiceSettings, FollowerSettings):
    """What `copilot run explainer` needs to know."""


class TriggerSettings(ServiceSettings, FollowerSettings, TemporalSettings):
    """What `copilot run trigger` needs to know."""

    trigger_starts_at_once: Annotated[int, Field(ge=1, le=1000)] = Field(
        32, description="workflow starts that are on their way at the same time"
    )
