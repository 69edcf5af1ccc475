-- The newest configuration of a cluster, whole. $1 cluster
SELECT cluster, version, slot, shard, position, event_id, fingerprint, preset, modifier,
    server_version, compiler_version, author, reason, profile, bounds
FROM view_config_history__build WHERE cluster = $1 ORDER BY version DESC LIMIT 1
