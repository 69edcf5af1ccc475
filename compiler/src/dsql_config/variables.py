"""Environment variables around the server: who reads each, and what counts when it is absent.

Theory of operation. The variables that the compiler writes stand in the parameter registry; here
are the others that one meets beside them, as prefixes where a family shares a fate, and the
defaults that the DSQL plugin has for those it reads. Absence is a value: a switch that nobody sets
is off.

Read from the source of the plugin's build of January 2026 and of later ones, of Temporal server
1.32.1 (its flags and its configuration template) and of the SDKs' client configuration.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from types import MappingProxyType
from typing import Final

from dsql_config.parameters import PARAMETERS
from dsql_config.parameters.parameter import Env, Parameter


class Fate(StrEnum):
    """What becomes of a variable that the compiler does not write."""

    NEEDED = "needed"
    """Somebody reads it, and nothing here derives it."""
    DEAD = "dead"
    """Nobody reads it."""


@dataclass(frozen=True, slots=True)
class Other:
    """A variable, or all that start with `name` when it ends in `*`."""

    name: str
    fate: Fate
    why: str


_REPLICAS: Final = "neither the server nor a start script reads it: replicas are the platform's"
_SERVER: Final = "the server reads it when it starts (flags of 1.32.1)"
_TEMPLATE: Final = "the server's built-in configuration template reads it (1.32.1)"
_CLIENT: Final = "clients and SDK workers read it, the server does not"
_BUCKET: Final = (
    "the later plugin build's token bucket, in place of the limiter's counter per second"
)
_POOL: Final = "the plugin's own pace of filling a pool without reservoir"

OTHERS: Final = (
    Other("TEMPORAL_SQL_PASSWORD", Fate.NEEDED,
          "a credential of another SQL store; to DSQL the plugin logs in with a token from IAM"),
    Other("REGION", Fate.NEEDED, "the plugin signs its login tokens for this region"),
    Other("AWS_REGION", Fate.NEEDED, "the plugin takes it when REGION is absent"),
    Other("AWS_*", Fate.NEEDED, "the plugin's AWS SDK reads it: credentials, profile, endpoints"),
    Other("DSQL_TOKEN_BUCKET_ENABLED", Fate.NEEDED, _BUCKET),
    Other("DSQL_TOKEN_BUCKET_RATE", Fate.NEEDED, _BUCKET),
    Other("DSQL_TOKEN_BUCKET_CAPACITY", Fate.NEEDED, _BUCKET),
    Other("DSQL_TOKEN_BUCKET_MAX_WAIT", Fate.NEEDED, _BUCKET),
    Other("DSQL_POOL_KEEPER_TICK_INTERVAL", Fate.NEEDED, _POOL),
    Other("DSQL_POOL_KEEPER_MAX_CONNS_PER_TICK", Fate.NEEDED, _POOL),
    Other("DSQL_POOL_WARMUP_STAGGER_DURATION", Fate.NEEDED, _POOL),
    Other("TEMPORAL_ROOT", Fate.NEEDED, _SERVER),
    Other("TEMPORAL_CONFIG_DIR", Fate.NEEDED, _SERVER),
    Other("TEMPORAL_SERVER_CONFIG_FILE_PATH", Fate.NEEDED, _SERVER),
    Other("TEMPORAL_ENVIRONMENT", Fate.NEEDED, _SERVER),
    Other("TEMPORAL_SERVICES", Fate.NEEDED, _SERVER),
    Other("TEMPORAL_AVAILABILITY_ZONE", Fate.NEEDED, _SERVER),
    Other("TEMPORAL_ALLOW_NO_AUTH", Fate.NEEDED, _SERVER),
    Other("TEMPORAL_VERSION_CHECK_DISABLED", Fate.NEEDED, _SERVER),
    Other("TEMPORAL_BROADCAST_ADDRESS", Fate.NEEDED, _TEMPLATE),
    Other("TEMPORAL_AUTH_*", Fate.NEEDED, _TEMPLATE),
    Other("TEMPORAL_JWT_*", Fate.NEEDED, _TEMPLATE),
    Other("TEMPORAL_TLS*", Fate.NEEDED, f"{_TEMPLATE}; so do clients"),
    Other("TEMPORAL_ADDRESS", Fate.NEEDED, _CLIENT),
    Other("TEMPORAL_NAMESPACE", Fate.NEEDED, _CLIENT),
    Other("TEMPORAL_API_KEY", Fate.NEEDED, f"a credential; {_CLIENT}"),
    Other("TEMPORAL_CONFIG_FILE", Fate.NEEDED, _CLIENT),
    Other("TEMPORAL_PROFILE", Fate.NEEDED, _CLIENT),
    Other("TEMPORAL_CODEC_*", Fate.NEEDED, _CLIENT),
    Other("TEMPORAL_GRPC_META_*", Fate.NEEDED, _CLIENT),
    Other("TEMPORAL_HISTORY_REPLICAS", Fate.DEAD, f"{_REPLICAS}; give history_replicas"),
    Other("TEMPORAL_MATCHING_REPLICAS", Fate.DEAD, f"{_REPLICAS}; give matching_replicas"),
    Other("TEMPORAL_FRONTEND_REPLICAS", Fate.DEAD, f"{_REPLICAS}; give frontend_replicas"),
    Other("TEMPORAL_WORKER_REPLICAS", Fate.DEAD, f"{_REPLICAS}; give worker_replicas"),
)  # fmt: skip

PLUGIN_DEFAULTS: Final[Mapping[str, str]] = MappingProxyType({
    "DSQL_TOKEN_DURATION": "15m",
    "DSQL_CONNECTION_RATE_LIMIT": "10",
    "DSQL_CONNECTION_BURST_LIMIT": "100",
    "DSQL_STAGGERED_STARTUP": "true",
    "DSQL_STAGGERED_STARTUP_MAX_DELAY": "5s",
    "DSQL_DISTRIBUTED_RATE_LIMITER_ENABLED": "false",
    "DSQL_DISTRIBUTED_RATE_LIMITER_LIMIT": "100",
    "DSQL_DISTRIBUTED_RATE_LIMITER_MAX_WAIT": "30s",
    "DSQL_RESERVOIR_ENABLED": "false",
    "DSQL_RESERVOIR_BASE_LIFETIME": "11m",
    "DSQL_RESERVOIR_LIFETIME_JITTER": "2m",
    "DSQL_RESERVOIR_GUARD_WINDOW": "45s",
    "DSQL_RESERVOIR_INITIAL_FILL_TIMEOUT": "30s",
    "DSQL_RESERVOIR_INFLIGHT_LIMIT": "8",
    "DSQL_DISTRIBUTED_CONN_LEASE_ENABLED": "false",
    "DSQL_DISTRIBUTED_CONN_LIMIT": "10000",
    "DSQL_SLOT_BLOCK_SIZE": "100",
    "DSQL_SLOT_BLOCK_COUNT": "100",
    "DSQL_SLOT_BLOCK_TTL": "3m",
    "DSQL_SLOT_BLOCK_RENEW_INTERVAL": "1m",
})  # fmt: skip
"""What the plugin assumes for a variable that is absent, as it would be written. Variables without
a row have no default of their own: pool sizes are the static configuration's, names are empty."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A variable that the compiler writes: the parameter behind it, and the row that says how."""

    parameter: Parameter
    target: Env


@cache
def compiled() -> Mapping[str, Compiled]:
    """Name to parameter of every variable that the compiler writes, in registry order."""
    return MappingProxyType(
        {
            target.name: Compiled(parameter, target)
            for parameter in PARAMETERS.values()
            for target in parameter.writes
            if isinstance(target, Env)
        }
    )


NOT_SHOWN: Final = "(not shown)"
"""Stands for the value of a variable that the compiler does not write: it may be a credential."""


def shown_value(name: str, value: str) -> str:
    """The value of a variable, as far as it may be shown."""
    return value if name in compiled() else NOT_SHOWN


def other(name: str) -> Other | None:
    """The row of a variable that the compiler does not write; None when nothing is known of it."""
    for row in OTHERS:
        if name == row.name or (row.name.endswith("*") and name.startswith(row.name[:-1])):
            return row
    return None
