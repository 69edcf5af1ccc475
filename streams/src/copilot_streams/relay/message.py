"""The public form of an event on `copilot.events.v1`.

    key      the cluster id
    headers  event-id, type, schema-version, stream, version, occurred-at
    value    JSON: event_id, cluster, stream, version, shard, position, type, schema_version,
             occurred_at, recorded_at (RFC 3339, UTC), causation {topic, partition, offset} or null,
             data (the event's payload, as docs/reference/events.md describes it)

The headers hold what a consumer needs to drop doubles and to route without parsing the value: an
event whose `version` is not above the last one seen of its `stream` was seen already.
"""

from __future__ import annotations

import orjson
from whenever import Instant

from copilot_core.events import RecordedEvent

Headers = list[tuple[str, bytes]]


def headers_of(event: RecordedEvent) -> Headers:
    """The headers of an event's message."""
    return [
        ("event-id", str(event.event_id).encode()),
        ("type", event.type.encode()),
        ("schema-version", str(event.schema_version).encode()),
        ("stream", event.stream.encode()),
        ("version", str(event.version).encode()),
        ("occurred-at", _iso(event.occurred_at).encode()),
    ]


def value_of(event: RecordedEvent) -> bytes:
    """The body of an event's message; the payload's bytes go out as they were recorded."""
    cause = event.causation
    return orjson.dumps(
        {
            "event_id": str(event.event_id),
            "cluster": event.cluster,
            "stream": event.stream,
            "version": event.version,
            "shard": event.shard,
            "position": event.position,
            "type": event.type,
            "schema_version": event.schema_version,
            "occurred_at": _iso(event.occurred_at),
            "recorded_at": _iso(event.recorded_at),
            "causation": cause
            and {"topic": cause.topic, "partition": cause.partition, "offset": cause.offset},
            "data": orjson.Fragment(event.payload),
        }
    )


def _iso(at: Instant) -> str:
    return at.format_iso()
