-- The last ranking that names a cause. $1 cluster, $2 first, $3 last slot
SELECT cluster, slot, shard, position, event_id, schema_version, likeliest, data
FROM view_causes__build
WHERE cluster = $1 AND slot >= $2 AND slot <= $3 AND likeliest <> '' ORDER BY slot DESC LIMIT 1
