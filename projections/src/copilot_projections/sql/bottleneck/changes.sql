-- Changes of the bottleneck, newest first. $1 cluster, $2 until slot, $3 limit
SELECT cluster, slot, was, became, reasons
FROM view_bottleneck__build WHERE cluster = $1 AND slot < $2 ORDER BY slot DESC LIMIT $3
