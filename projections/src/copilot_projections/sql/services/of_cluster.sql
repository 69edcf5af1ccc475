-- The services of a cluster by name. $1 cluster
SELECT cluster, service, progress, pressure, since_slot, evidence, dominant_signal, artifacts
FROM view_services__build WHERE cluster = $1 ORDER BY service
