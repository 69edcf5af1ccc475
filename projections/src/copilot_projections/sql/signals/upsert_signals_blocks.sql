-- Insert rows or replace them; one list per column. $1 cluster, $2 block_slot, $3 signals, $4
-- last_slot, $5 interval_s, $6 body
INSERT INTO view_signals_blocks__build (cluster, block_slot, signals, last_slot, interval_s, body)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::integer[], $4::bigint[], $5::integer[],
    $6::text[])
ON CONFLICT (cluster, block_slot, signals) DO UPDATE SET
    last_slot = excluded.last_slot,
    interval_s = excluded.interval_s,
    body = excluded.body
