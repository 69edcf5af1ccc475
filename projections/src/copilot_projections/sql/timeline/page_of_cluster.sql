-- Entries of a cluster, newest first. $1 cluster, $2 from, $3 until slot, $4 types,
-- $5, $6, $7 slot, shard and position to end before, $8 limit
SELECT cluster, slot, shard, position, stream, version, event_id, type, schema_version, was, became,
    summary, reasons, data
FROM view_timeline__build
WHERE cluster = $1 AND slot >= $2 AND slot < $3 AND type = ANY($4::text[])
    AND (slot, shard, position) < ($5::bigint, $6::integer, $7::bigint)
ORDER BY slot DESC, shard DESC, position DESC LIMIT $8
