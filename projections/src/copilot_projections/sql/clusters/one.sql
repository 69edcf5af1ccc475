-- One cluster. $1 cluster
SELECT cluster, shard, position, status, since_slot, evidence, evidence_since_slot, worst, band,
    bottleneck, last_slot, interval_s, source, rules_digest
FROM view_clusters__build WHERE cluster = $1
