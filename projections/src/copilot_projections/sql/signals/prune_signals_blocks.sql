-- Forget old blocks of a cluster, save those that touch a stretch around a transition.
-- $1 cluster, $2 first block slot to keep
DELETE FROM view_signals_blocks__build AS block
WHERE block.cluster = $1 AND block.block_slot < $2
    AND NOT EXISTS (
        SELECT 1 FROM view_signals_kept__build AS kept
        WHERE kept.cluster = block.cluster AND kept.from_slot <= block.last_slot
            AND kept.to_slot >= block.block_slot
    )
