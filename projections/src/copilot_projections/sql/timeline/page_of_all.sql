-- Entries of all clusters, newest first. $1 from, $2 until slot, $3 types,
-- $4, $5, $6 slot, shard and position to end before, $7 limit
SELECT cluster, slot, shard, position, stream, version, event_id, type, schema_version, was, became,
    summary, reasons, data
FROM view_timeline__build
WHERE slot >= $1 AND slot < $2 AND type = ANY($3::text[])
    AND (slot, shard, position) < ($4::bigint, $5::integer, $6::bigint)
ORDER BY slot DESC, shard DESC, position DESC LIMIT $7
