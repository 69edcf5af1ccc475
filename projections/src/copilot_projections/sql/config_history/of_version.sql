-- One configuration of a cluster. $1 cluster, $2 version
SELECT version, fingerprint FROM view_config_history__build WHERE cluster = $1 AND version = $2
