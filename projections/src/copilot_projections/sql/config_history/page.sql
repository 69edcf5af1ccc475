-- Configurations of a cluster without their values, newest first. $1 cluster, $2 below this
-- version, $3 limit
SELECT cluster, version, slot, shard, position, event_id, fingerprint, previous_fingerprint, preset,
    modifier, server_version, compiler_version, author, reason, changes
FROM view_config_history__build WHERE cluster = $1 AND version < $2 ORDER BY version DESC LIMIT $3
