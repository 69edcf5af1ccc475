-- Insert rows or replace them; one list per column. $1 cluster, $2 slot, $3 service, $4 pattern,
-- $5 count, $6 usual
INSERT INTO view_log_surges__build (cluster, slot, service, pattern, count, usual)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::double
    precision[])
ON CONFLICT (cluster, slot, service, pattern) DO UPDATE SET
    count = excluded.count,
    usual = excluded.usual
