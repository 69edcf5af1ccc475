-- One incident. $1 cluster, $2 begin
SELECT cluster, began_slot, ended_slot, status, worst, worst_slot, transitions, evidence_at_begin,
    gates, blind, begin_summary, end_summary
FROM view_incidents__build WHERE cluster = $1 AND began_slot = $2
