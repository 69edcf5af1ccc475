-- Insert rows or replace them; one list per column. $1 cluster, $2 began_slot, $3
-- blind_since_slot
INSERT INTO view_incidents_open__build (cluster, began_slot, blind_since_slot)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[])
ON CONFLICT (cluster) DO UPDATE SET
    began_slot = excluded.began_slot,
    blind_since_slot = excluded.blind_since_slot
