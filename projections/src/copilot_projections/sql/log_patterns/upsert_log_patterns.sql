-- Insert rows or replace them; one list per column. $1 cluster, $2 slot, $3 interval_s, $4
-- counts, $5 missing, $6 excerpts
INSERT INTO view_log_patterns__build (cluster, slot, interval_s, counts, missing, excerpts)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::integer[], $4::text[], $5::text[], $6::text[])
ON CONFLICT (cluster, slot) DO UPDATE SET
    interval_s = excluded.interval_s,
    counts = excluded.counts,
    missing = excluded.missing,
    excerpts = excluded.excerpts
