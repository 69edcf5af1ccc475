-- The last events of a stream, down to but without a version.
-- $1 stream, $2 after version, $3 limit
SELECT shard, pos, stream_id, version, event_id, type, schema_version, occurred_at, recorded_at,
       payload, source_offset, meta
FROM es_event WHERE stream_id = $1 AND version > $2 ORDER BY version DESC LIMIT $3
