"""A recorded event as the API shows it: envelope in flat columns, payload as it is stored."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson
from pydantic import BaseModel, ConfigDict, Field

from copilot_api.instants import epoch_ms, rfc3339
from copilot_core.events import RecordedEvent


class EventRow(BaseModel):
    """One recorded event, the same in the raw log and in event streams."""

    model_config = ConfigDict(frozen=True)

    shard: int = Field(description="shard of the log")
    position: int = Field(description="place in the shard, dense from 0")
    stream: str = Field(description="what the event is about, e.g. health/prod")
    version: int = Field(description="place in the stream, dense from 1")
    cluster: str
    event_id: UUID = Field(description="the same in the log, on Kafka and in every re-fold")
    type: str
    schema_version: int
    occurred_at: str = Field(description="event time, RFC 3339")
    occurred_at_ms: int = Field(description="event time, milliseconds since 1970")
    recorded_at: str = Field(description="when the database took it, RFC 3339")
    recorded_at_ms: int
    caused_by: str | None = Field(
        description="topic/partition@offset of the message it was decided from"
    )
    data: dict[str, Any] = Field(description="the payload, see the reference of events")


def row_of(event: RecordedEvent) -> EventRow:
    """The row that shows an event; the payload is not interpreted, so unknown types show too."""
    cause = event.causation
    return EventRow(
        shard=event.shard, position=event.position, stream=event.stream, version=event.version,
        cluster=event.cluster, event_id=event.event_id, type=event.type,
        schema_version=event.schema_version,
        occurred_at=rfc3339(event.occurred_at), occurred_at_ms=epoch_ms(event.occurred_at),
        recorded_at=rfc3339(event.recorded_at), recorded_at_ms=epoch_ms(event.recorded_at),
        caused_by=f"{cause.topic}/{cause.partition}@{cause.offset}" if cause else None,
        data=orjson.loads(event.payload),
    )  # fmt: skip
