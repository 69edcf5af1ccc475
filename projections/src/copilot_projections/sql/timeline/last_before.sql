-- The newest entry of some types about a cluster. $1 cluster, $2 types, $3 last slot
SELECT cluster, slot, shard, position, stream, version, event_id, type, schema_version, was, became,
    summary, reasons, data
FROM view_timeline__build
WHERE cluster = $1 AND type = ANY($2::text[]) AND slot <= $3
ORDER BY slot DESC, shard DESC, position DESC LIMIT 1
