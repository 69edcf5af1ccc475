-- What changed behind one version and up to another, in order. $1 cluster, $2 after version, $3 to
-- version
SELECT changes FROM view_config_history__build
WHERE cluster = $1 AND version > $2 AND version <= $3 ORDER BY version
