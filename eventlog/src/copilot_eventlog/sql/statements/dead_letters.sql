-- Dead letters that were not redriven yet.
-- $1 after id, $2 limit
SELECT id, source, code, reason, body, at, redriven_at FROM es_dead_letter
WHERE id > $1 AND redriven_at IS NULL ORDER BY id LIMIT $2
