"""Between envelopes and rows."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import orjson
from hypothesis import given
from hypothesis import strategies as st
from whenever import Instant

from copilot_core.events import Causation, NewEvent, event_id
from copilot_eventlog.rows import columns_of, recorded_of

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
EVENTS = st.builds(
    NewEvent,
    stream=TEXT,
    version=st.integers(1, 2**62),
    type=TEXT,
    schema_version=st.integers(1, 2**31 - 1),
    occurred_at=st.integers(946_684_800, 4_102_444_800).map(Instant.from_timestamp),
    payload=TEXT.map(lambda text: orjson.dumps({"text": text})),
    causation=st.none()
    | st.builds(
        Causation, topic=TEXT, partition=st.integers(0, 2**31), offset=st.integers(0, 2**62)
    ),
)


@given(st.lists(EVENTS, min_size=1, max_size=5))
def test_an_event_survives_its_row(events: list[NewEvent]) -> None:
    """What goes into the columns comes out of the rows: the same event and its derived id."""
    types, schemas, metas, kinds, streams, versions, ids, offsets, at, payloads = columns_of(events)
    kinds = [kind - 1 for kind in kinds]  # SQL counts from 1
    now = Instant.from_utc(2026, 3, 1).timestamp(unit="microsecond")
    rows = [
        (7, n, streams[n], versions[n], UUID(str(ids[n])), types[kinds[n]], schemas[kinds[n]],
         at[n], now,
         payloads[n], offsets[n], metas[kinds[n]])
        for n in range(len(events))
    ]  # fmt: skip
    for event, recorded in zip(events, recorded_of(rows), strict=True):  # ty: ignore[invalid-argument-type]
        for name in (
            "stream", "version", "type", "schema_version", "occurred_at", "payload", "causation",
        ):  # fmt: skip
            assert getattr(recorded, name) == getattr(event, name)
        assert recorded == replace(recorded), "as if its constructor had made it"
        assert recorded.event_id == event_id(event.stream, event.version) == event.event_id
