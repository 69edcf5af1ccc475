-- Events of a stream behind a version, in order.
-- Times as Unix µs: rounding the double is exact until the year 2242.
-- $1 stream, $2 after version, $3 limit
SELECT shard, pos, stream_id, version, event_id, type, schema_version,
       (date_part('epoch', occurred_at) * 1000000)::bigint AS occurred_at,
       (date_part('epoch', recorded_at) * 1000000)::bigint AS recorded_at,
       payload, source_offset, meta
FROM es_event WHERE stream_id = $1 AND version > $2 ORDER BY version LIMIT $3
