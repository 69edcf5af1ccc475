-- Insert rows or replace them; one list per column. $1 cluster, $2 block_slot
INSERT INTO view_signals_open__build (cluster, block_slot)
SELECT * FROM unnest($1::text[], $2::bigint[])
ON CONFLICT (cluster) DO UPDATE SET
    block_slot = excluded.block_slot
