-- The newest snapshot of a stream, or the newest one that is not after an instant of event time.
-- $1 stream, $2 instant or null
SELECT stream_id, version, occurred_at, payload FROM es_snapshot
WHERE stream_id = $1 AND ($2::timestamptz IS NULL OR occurred_at <= $2)
ORDER BY version DESC LIMIT 1
