-- The open incidents of some clusters. $1 clusters
SELECT cluster, began_slot, ended_slot, status, worst, worst_slot, transitions, evidence_at_begin,
    gates, blind, begin_summary, end_summary
FROM view_incidents__build WHERE cluster = ANY($1::text[]) AND ended_slot IS NULL
