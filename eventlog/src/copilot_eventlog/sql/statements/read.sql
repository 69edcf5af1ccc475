-- Events of a shard behind a position, in order.
-- $1 shard, $2 after position, $3 limit
SELECT shard, pos, stream_id, version, event_id, type, schema_version, occurred_at, recorded_at,
       payload, source_offset, meta
FROM es_event WHERE shard = $1 AND pos > $2 ORDER BY pos LIMIT $3
