-- Blocks of a cluster in order of time.
-- $1 cluster, $2 and $3 block slot and signal list to begin behind, $4 until slot, $5 limit
SELECT cluster, block_slot, signals, last_slot, interval_s, body
FROM view_signals_blocks__build
WHERE cluster = $1 AND (block_slot, signals) > ($2::bigint, $3::integer) AND block_slot < $4
ORDER BY block_slot, signals LIMIT $5
