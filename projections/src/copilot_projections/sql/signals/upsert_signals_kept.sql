-- Insert rows or replace them; one list per column. $1 cluster, $2 from_slot, $3 to_slot
INSERT INTO view_signals_kept__build (cluster, from_slot, to_slot)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[])
ON CONFLICT (cluster, from_slot) DO UPDATE SET
    to_slot = excluded.to_slot
