-- Rows of some clusters. $1 clusters
SELECT cluster, service, progress, pressure, since_slot, evidence, dominant_signal, artifacts
FROM view_services__build WHERE cluster = ANY($1::text[])
