-- Insert rows or replace them; one list per column. $1 cluster, $2 slot, $3 was, $4 became, $5
-- reasons
INSERT INTO view_bottleneck__build (cluster, slot, was, became, reasons)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[])
ON CONFLICT (cluster, slot) DO UPDATE SET
    was = excluded.was,
    became = excluded.became,
    reasons = excluded.reasons
