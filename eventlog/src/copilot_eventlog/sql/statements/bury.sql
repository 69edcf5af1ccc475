-- Keep a dead letter; the same id is the same letter.
-- $1 id, $2 source, $3 code, $4 reason, $5 body, $6 at
INSERT INTO es_dead_letter (id, source, code, reason, body, at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (id) DO NOTHING
