-- Note that a dead letter was put back on its way.
-- $1 id, $2 at
UPDATE es_dead_letter SET redriven_at = $2 WHERE id = $1
