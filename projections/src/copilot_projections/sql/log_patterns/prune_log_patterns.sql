-- Forget old counts of a cluster. $1 cluster, $2 first slot to keep
DELETE FROM view_log_patterns__build WHERE cluster = $1 AND slot < $2
