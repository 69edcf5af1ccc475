-- Rows of some clusters. $1 clusters
SELECT cluster, shard, position, first_slot, sample, sample_version, transition,
    transition_version, sight, sight_type, sight_version, ranking, ranking_version
FROM view_status__build WHERE cluster = ANY($1::text[])
