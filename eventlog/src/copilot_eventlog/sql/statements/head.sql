-- Where a shard stands.
-- $1 shard
SELECT shard, epoch, next_pos, source, source_offset, carry, writer FROM es_head WHERE shard = $1
