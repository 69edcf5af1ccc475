-- What was last said of a cluster, in the words in force. $1 cluster, $2 first, $3 last slot, $4
-- types
SELECT cluster, slot, explains, type, revision, version, shard, position, event_id, schema_version,
    data
FROM view_explanations__build
WHERE cluster = $1 AND slot >= $2 AND slot <= $3 AND type = ANY($4::text[])
ORDER BY slot DESC, type DESC, revision DESC, version LIMIT 1
