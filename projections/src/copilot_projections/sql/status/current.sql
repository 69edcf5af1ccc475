-- What speaks for a cluster now. $1 cluster
SELECT cluster, shard, position, first_slot, sample, sample_version, transition,
    transition_version, sight, sight_type, sight_version, ranking, ranking_version
FROM view_status__build WHERE cluster = $1
