-- Surges of a cluster, newest first. $1 cluster, $2 from, $3 until slot, $4 limit
SELECT cluster, slot, service, pattern, count, usual
FROM view_log_surges__build
WHERE cluster = $1 AND slot >= $2 AND slot < $3
ORDER BY slot DESC, service DESC, pattern DESC LIMIT $4
