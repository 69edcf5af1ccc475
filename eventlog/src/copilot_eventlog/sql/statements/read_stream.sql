-- Events of a stream behind a version, in order.
-- $1 stream, $2 after version, $3 limit
SELECT shard, pos, stream_id, version, event_id, type, schema_version, occurred_at, recorded_at,
       payload, source_offset, meta
FROM es_event WHERE stream_id = $1 AND version > $2 ORDER BY version LIMIT $3
