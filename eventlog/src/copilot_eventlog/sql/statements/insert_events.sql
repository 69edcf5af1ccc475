-- The second half of an append, in the transaction of move_head.
-- $1 shard, $2 first position,
-- one array each: $3 stream, $4 version, $5 event id, $6 type, $7 schema version,
-- $8 offset of the causing message, $9 occurred at (Unix µs), $10 meta, $11 payload
INSERT INTO es_event (shard, pos, stream_id, version, event_id, type, schema_version, source_offset,
                      occurred_at, recorded_at, meta, payload)
SELECT $1, $2 + event.nth - 1, event.stream_id, event.version, event.event_id, event.type,
       event.schema_version, event.source_offset,
       'epoch'::timestamptz + event.occurred_at * interval '1 microsecond', now(),
       event.meta, event.payload
FROM unnest($3::text[], $4::bigint[], $5::uuid[], $6::text[], $7::integer[], $8::bigint[],
            $9::bigint[], $10::text[], $11::text[])
     WITH ORDINALITY AS event (stream_id, version, event_id, type, schema_version, source_offset,
                               occurred_at, meta, payload, nth)
