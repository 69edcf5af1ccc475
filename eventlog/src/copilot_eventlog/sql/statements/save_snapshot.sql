-- Keep a snapshot; one of the same version is the same snapshot.
-- $1 stream, $2 version, $3 occurred at, $4 payload
INSERT INTO es_snapshot (stream_id, version, occurred_at, payload) VALUES ($1, $2, $3, $4)
ON CONFLICT (stream_id, version) DO NOTHING
