-- Incidents that touch a span, newest begin first. $1 cluster or null for all, $2 from, $3 until
-- slot, $4 only open ones, $5 and $6 begin and cluster to end before, $7 limit
SELECT cluster, began_slot, ended_slot, status, worst, worst_slot, transitions, evidence_at_begin,
    gates, blind, begin_summary, end_summary
FROM view_incidents__build
WHERE ($1::text IS NULL OR cluster = $1) AND began_slot < $3
    AND (ended_slot IS NULL OR (ended_slot >= $2 AND NOT $4::boolean))
    AND (began_slot < $5::bigint OR (began_slot = $5 AND cluster < $6::text))
ORDER BY began_slot DESC, cluster DESC LIMIT $7
