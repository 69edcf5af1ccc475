"""Settings of the API process: the only reader of its environment.

On a loopback address the API may be open; on any other address it refuses to start without
`COPILOT_API_TOKEN`. There is no switch that turns the token off elsewhere.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from copilot_eventlog.settings import EventLogSettings
from copilot_service import ServiceSettings

MIN_TOKEN_CHARS = 16


def is_loopback(host: str) -> bool:
    """True when nobody outside this machine can reach `host`."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class ApiSettings(ServiceSettings, EventLogSettings):
    """Where the API listens, who may read, and how long it waits.

    The API answers /healthz, /readyz and /metrics itself, so `service_port` may stay 0.
    """

    # Pydantic shows the input in its errors, and here the input holds the token.
    model_config = SettingsConfigDict(hide_input_in_errors=True)

    api_host: str = Field("127.0.0.1", description="address that the API listens on")
    api_port: Annotated[int, Field(ge=0, le=65535)] = Field(
        8080, description="port that the API listens on; 0 takes a free one"
    )
    api_token: SecretStr | None = Field(
        None,
        description="bearer token that callers must send, at least 16 characters; "
        "may be left out only on a loopback address",
    )
    api_store_timeout_s: Annotated[float, Field(gt=0, le=60)] = Field(
        2.0, description="seconds to wait for the database before the answer is stale or 503"
    )
    api_watch_s: Annotated[float, Field(gt=0, le=60)] = Field(
        0.5, description="seconds between looks at the log for new events"
    )
    api_heartbeat_s: Annotated[float, Field(gt=0, le=300)] = Field(
        15.0, description="seconds between heartbeats of a silent event stream"
    )
    api_max_streams: Annotated[int, Field(ge=1, le=10_000)] = Field(
        100, description="event streams served at the same time; the next one gets 503"
    )

    @model_validator(mode="after")
    def _token_where_it_is_needed(self) -> ApiSettings:
        token = self.api_token.get_secret_value() if self.api_token else ""
        if not token and not is_loopback(self.api_host):
            raise ValueError(
                f"COPILOT_API_TOKEN is missing: COPILOT_API_HOST={self.api_host} can be reached"
                " from other machines; set a token, or listen on 127.0.0.1"
            )
        if token and (
            len(token) < MIN_TOKEN_CHARS or not token.isascii() or not token.isprintable()
        ):
            raise ValueError(
                f"COPILOT_API_TOKEN needs at least {MIN_TOKEN_CHARS} printable ASCII characters"
            )
        return self

    @property
    def token(self) -> SecretStr | None:
        """The token, or None when the API is open."""
        return self.api_token if self.api_token and self.api_token.get_secret_value() else None
