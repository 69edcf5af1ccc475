-- Events and the new head, or nothing: the insert has rows only where the head was ours to move.
-- $1 shard, $2 epoch, $3 next position, $4 number of events, $5 source offset, $6 carry,
-- the kinds of events, one array each: $7 type, $8 schema version, $9 meta;
-- the events, one array each: $10 kind (from 1), $11 stream, $12 version, $13 event id,
-- $14 offset of the causing message, $15 occurred at (Unix µs), $16 payload
WITH head AS (
    UPDATE es_head SET next_pos = next_pos + $4, source_offset = $5, carry = $6, updated_at = now()
    WHERE shard = $1 AND epoch = $2 AND next_pos = $3
    RETURNING shard
)
INSERT INTO es_event (shard, pos, stream_id, version, event_id, type, schema_version, source_offset,
                      occurred_at, recorded_at, meta, payload)
SELECT head.shard, $3 + event.nth - 1, event.stream_id, event.version, event.event_id,
       ($7::text[])[event.kind], ($8::integer[])[event.kind], event.source_offset,
       'epoch'::timestamptz + event.occurred_at * interval '1 microsecond', now(),
       ($9::text[])[event.kind], event.payload
FROM head, unnest($10::integer[], $11::text[], $12::bigint[], $13::uuid[], $14::bigint[],
                  $15::bigint[], $16::text[])
     WITH ORDINALITY AS event (kind, stream_id, version, event_id, source_offset, occurred_at,
                               payload, nth)
