-- Rows of some clusters. $1 clusters
SELECT cluster, slot, interval_s, signals, readings
FROM view_signals_tail__build WHERE cluster = ANY($1::text[])
