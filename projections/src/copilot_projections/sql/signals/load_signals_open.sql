-- Rows of some clusters. $1 clusters
SELECT cluster, block_slot
FROM view_signals_open__build WHERE cluster = ANY($1::text[])
