"""The copilot's own Temporal: how one connects, and what its errors mean here.

Theory of operation. The trigger's client connects with its first call, so that it starts while the
server is away. What a call may fail with is translated in one function:

    Unavailable   no connection, no answer in time, too busy, not ready yet
    Rejected      the server will never take this: credentials, namespace, arguments
    Defect        anything else

A workflow that exists already is no error for those who start it under the name of what it is
about: `WorkflowAlreadyStartedError` passes untouched.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Final

from temporalio.client import Client, Plugin
from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.converter import (
    DataConverter,
    DefaultFailureConverter,
    DefaultFailureConverterWithEncodedAttributes,
)
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.runtime import (
    LoggingConfig,
    PrometheusConfig,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)
from temporalio.service import RPCError, RPCStatusCode, TLSConfig

from copilot_core.errors import Defect, Rejected, Unavailable
from copilot_workflows.codec import SealedPayloads
from copilot_workflows.settings import TemporalSettings

CONNECT_S: Final = 10
_AWAY: Final = frozenset(
    {
        RPCStatusCode.UNAVAILABLE,
        RPCStatusCode.DEADLINE_EXCEEDED,
        RPCStatusCode.RESOURCE_EXHAUSTED,
        RPCStatusCode.CANCELLED,
        RPCStatusCode.ABORTED,
        RPCStatusCode.INTERNAL,
        RPCStatusCode.UNKNOWN,
        RPCStatusCode.FAILED_PRECONDITION,
    }
)
"""`UNKNOWN` and `INTERNAL` are what a server says whose own database is away; a precondition fails
while a shard moves."""
_REFUSED: Final = frozenset(
    {
        RPCStatusCode.INVALID_ARGUMENT,
        RPCStatusCode.NOT_FOUND,
        RPCStatusCode.PERMISSION_DENIED,
        RPCStatusCode.UNAUTHENTICATED,
        RPCStatusCode.UNIMPLEMENTED,
    }
)


async def connect(
    settings: TemporalSettings, plugins: Sequence[Plugin] = (), *, lazy: bool = True
) -> Client:
    """A client that connects with its first call, or, not `lazy`, at once.

    Workers need one that is connected. Raises `Unavailable` when it cannot connect at once.
    """
    async with calling("connect", timeout_s=settings.temporal_call_timeout_s):
        return await Client.connect(
            settings.temporal_address,
            namespace=settings.temporal_namespace,
            api_key=settings.temporal_api_key.get_secret_value()
            if settings.temporal_api_key
            else None,
            tls=_tls(settings),
            data_converter=converter(settings),
            plugins=plugins,
            connect_timeout=timedelta(seconds=CONNECT_S),
            runtime=_runtime(settings),
            lazy=lazy,
        )


def converter(settings: TemporalSettings) -> DataConverter:
    """Pydantic models as JSON, sealed where there are keys."""
    keys = settings.payload_keys
    return replace(
        DataConverter(payload_converter_class=PydanticPayloadConverter),
        payload_codec=SealedPayloads(keys) if keys else None,
        failure_converter_class=(
            DefaultFailureConverterWithEncodedAttributes if keys else DefaultFailureConverter
        ),
    )


@asynccontextmanager
async def calling(what: str, *, timeout_s: float) -> AsyncGenerator[None]:
    """Calls of the server in our own errors, and not for ever: the SDK tries ten times."""
    try:
        async with asyncio.timeout(timeout_s):
            yield
    except TimeoutError as e:
        raise Unavailable(
            f"no answer within {timeout_s:g} s", where=what, todo="check COPILOT_TEMPORAL_ADDRESS"
        ) from e
    except WorkflowAlreadyStartedError:
        raise
    except RPCError as e:
        raise translated(e, what) from e
    except RuntimeError as e:  # what the SDK raises when it cannot connect at all
        raise Unavailable(str(e), where=what, todo="check COPILOT_TEMPORAL_ADDRESS") from e


def translated(error: RPCError, what: str) -> Unavailable | Rejected | Defect:
    """One of ours for what the server said."""
    said = f"{error.status.name}: {error.message}"
    if error.status in _AWAY:
        return Unavailable(said, where=what, todo="wait for the Temporal server, or start it")
    if error.status in _REFUSED:
        return Rejected(
            said,
            where=what,
            code="temporal",
            todo="check COPILOT_TEMPORAL_NAMESPACE and the credentials",
        )
    return Defect(said, where=what)


def _tls(settings: TemporalSettings) -> bool | TLSConfig:
    files = (
        settings.temporal_tls_ca_file,
        settings.temporal_tls_cert_file,
        settings.temporal_tls_key_file,
    )
    if not any(files):
        return settings.temporal_tls or settings.temporal_api_key is not None
    ca, cert, key = (file.read_bytes() if file else None for file in files)
    return TLSConfig(server_root_ca_cert=ca, client_cert=cert, client_private_key=key)


def _runtime(settings: TemporalSettings) -> Runtime:
    """The SDK's own threads: quiet unless something is wrong, with metrics where one wants them.

    Their names are those of the dialect `seconds_suffixed`, which this copilot reads, too.
    """
    metrics = PrometheusConfig(
        bind_address=settings.temporal_sdk_metrics,
        counters_total_suffix=True,
        unit_suffix=True,
        durations_as_seconds=True,
    )
    quiet = TelemetryFilter(core_level="ERROR", other_level="ERROR")
    return Runtime(
        telemetry=TelemetryConfig(
            logging=LoggingConfig(filter=quiet),
            metrics=metrics if settings.temporal_sdk_metrics else None,
        )
    )
