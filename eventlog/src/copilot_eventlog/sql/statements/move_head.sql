-- The first half of an append, alone: for an append without events, and where a writing CTE is refused.
-- $1 shard, $2 epoch, $3 next position, $4 number of events, $5 source offset, $6 carry
UPDATE es_head SET next_pos = next_pos + $4, source_offset = $5, carry = $6, updated_at = now()
WHERE shard = $1 AND epoch = $2 AND next_pos = $3
