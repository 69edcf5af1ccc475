-- Rankings of a cluster, newest first. $1 cluster, $2 from, $3 until slot, $4 limit
SELECT cluster, slot, shard, position, event_id, schema_version, likeliest, data
FROM view_causes__build
WHERE cluster = $1 AND slot >= $2 AND slot < $3 ORDER BY slot DESC LIMIT $4
