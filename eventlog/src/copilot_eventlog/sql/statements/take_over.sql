-- Become the writer of a shard. Another source counts its offsets anew and takes nothing over.
-- $1 shard, $2 writer, $3 source
INSERT INTO es_head AS head (shard, epoch, next_pos, source, source_offset, carry, writer, updated_at)
VALUES ($1, 1, 0, $3, -1, '', $2, now())
ON CONFLICT (shard) DO UPDATE SET
    epoch = head.epoch + 1,
    source = excluded.source,
    source_offset = CASE WHEN head.source = excluded.source THEN head.source_offset ELSE -1 END,
    carry = CASE WHEN head.source = excluded.source THEN head.carry ELSE '' END,
    writer = excluded.writer,
    updated_at = excluded.updated_at
RETURNING shard, epoch, next_pos, source, source_offset, carry, writer
