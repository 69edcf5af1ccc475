-- Events and the new head, or nothing: the insert has rows only where the head was ours to move.
-- $1 shard, $2 epoch, $3 next position, $4 number of events, $5 source offset, $6 carry,
-- one array each: $7 stream, $8 version, $9 event id, $10 type, $11 schema version,
-- $12 offset of the causing message, $13 occurred at (Unix µs), $14 meta, $15 payload
WITH head AS (
    UPDATE es_head SET next_pos = next_pos + $4, source_offset = $5, carry = $6, updated_at = now()
    WHERE shard = $1 AND epoch = $2 AND next_pos = $3
    RETURNING shard
)
INSERT INTO es_event (shard, pos, stream_id, version, event_id, type, schema_version, source_offset,
                      occurred_at, recorded_at, meta, payload)
SELECT head.shard, $3 + event.nth - 1, event.stream_id, event.version, event.event_id, event.type,
       event.schema_version, event.source_offset,
       'epoch'::timestamptz + event.occurred_at * interval '1 microsecond', now(),
       event.meta, event.payload
FROM head, unnest($7::text[], $8::bigint[], $9::uuid[], $10::text[], $11::integer[], $12::bigint[],
                  $13::bigint[], $14::text[], $15::text[])
     WITH ORDINALITY AS event (stream_id, version, event_id, type, schema_version, source_offset,
                               occurred_at, meta, payload, nth)
