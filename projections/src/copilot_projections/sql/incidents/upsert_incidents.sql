-- Insert rows or replace them; one list per column. $1 cluster, $2 began_slot, $3 ended_slot, $4
-- status, $5 worst, $6 worst_slot, $7 transitions, $8 evidence_at_begin, $9 gates, $10 blind, $11
-- begin_summary, $12 end_summary
INSERT INTO view_incidents__build (cluster, began_slot, ended_slot, status, worst, worst_slot,
    transitions, evidence_at_begin, gates, blind, begin_summary, end_summary)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::bigint[],
    $7::integer[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[])
ON CONFLICT (cluster, began_slot) DO UPDATE SET
    ended_slot = excluded.ended_slot,
    status = excluded.status,
    worst = excluded.worst,
    worst_slot = excluded.worst_slot,
    transitions = excluded.transitions,
    evidence_at_begin = excluded.evidence_at_begin,
    gates = excluded.gates,
    blind = excluded.blind,
    begin_summary = excluded.begin_summary,
    end_summary = excluded.end_summary
