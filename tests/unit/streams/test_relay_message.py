"""The public form of an event."""

from __future__ import annotations

import orjson
from whenever import Instant

from copilot_core.events import Band, BandChanged, Causation, RecordedEvent, new_event
from copilot_streams.relay.message import headers_of, value_of


def recorded() -> RecordedEvent:
    """One event as the log holds it."""
    event = BandChanged(slot=1_780_000_020, from_=Band.STARTER, to=Band.MID, transitions_per_s=60.5)
    new = new_event(event, cluster="emea", version=4)
    return RecordedEvent(
        shard=2,
        position=17,
        stream=new.stream,
        version=new.version,
        event_id=new.event_id,
        type=new.type,
        schema_version=new.schema_version,
        occurred_at=new.occurred_at,
        recorded_at=Instant.from_timestamp(1_780_000_021),
        payload=new.payload,
        causation=Causation("copilot.samples.v1", 2, 99),
    )


def test_headers_are_enough_to_drop_doubles_and_to_route() -> None:
    """Id, type, version within the stream and event time are there without parsing the value."""
    event = recorded()
    assert dict(headers_of(event)) == {
        "event-id": str(event.event_id).encode(),
        "type": b"BandChanged",
        "schema-version": b"1",
        "stream": b"health/emea",
        "version": b"4",
        "occurred-at": b"2026-05-28T20:27:00Z",
    }


def test_the_value_is_envelope_and_payload() -> None:
    """The body is JSON: the envelope's fields, and the recorded payload as `data`."""
    event = recorded()
    value = orjson.loads(value_of(event))
    assert value.pop("data") == orjson.loads(event.payload)
    assert value == {
        "event_id": str(event.event_id),
        "cluster": "emea",
        "stream": "health/emea",
        "version": 4,
        "shard": 2,
        "position": 17,
        "type": "BandChanged",
        "schema_version": 1,
        "occurred_at": "2026-05-28T20:27:00Z",
        "recorded_at": "2026-05-28T20:27:01Z",
        "causation": {"topic": "copilot.samples.v1", "partition": 2, "offset": 99},
    }
