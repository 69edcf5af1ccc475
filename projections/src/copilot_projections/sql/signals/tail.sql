-- Slots of a cluster that are in no block yet, in order of time. $1 cluster, $2 from, $3 until slot
SELECT cluster, slot, interval_s, signals, readings
FROM view_signals_tail__build
WHERE cluster = $1 AND slot >= $2 AND slot < $3
ORDER BY slot
