-- The newest configuration of a cluster, of any fingerprint or of one. $1 cluster, $2 fingerprint
-- or an empty text
SELECT version, fingerprint FROM view_config_history__build
WHERE cluster = $1 AND ($2::text = '' OR fingerprint = $2) ORDER BY version DESC LIMIT 1
