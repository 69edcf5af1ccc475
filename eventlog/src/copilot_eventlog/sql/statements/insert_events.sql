-- The second half of an append, in the transaction of move_head.
-- $1 shard, $2 first position,
-- the kinds of events, one array each: $3 type, $4 schema version, $5 meta;
-- the events, one array each: $6 kind (from 1), $7 stream, $8 version, $9 event id,
-- $10 offset of the causing message, $11 occurred at (Unix µs), $12 payload
INSERT INTO es_event (shard, pos, stream_id, version, event_id, type, schema_version, source_offset,
                      occurred_at, recorded_at, meta, payload)
SELECT $1, $2 + event.nth - 1, event.stream_id, event.version, event.event_id,
       ($3::text[])[event.kind], ($4::integer[])[event.kind], event.source_offset,
       'epoch'::timestamptz + event.occurred_at * interval '1 microsecond', now(),
       ($5::text[])[event.kind], event.payload
FROM unnest($6::integer[], $7::text[], $8::bigint[], $9::uuid[], $10::bigint[],
            $11::bigint[], $12::text[])
     WITH ORDINALITY AS event (kind, stream_id, version, event_id, source_offset, occurred_at,
                               payload, nth)
