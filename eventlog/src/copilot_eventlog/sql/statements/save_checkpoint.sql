-- Move a reader forward; a position that it has passed changes nothing.
-- $1 reader, $2 build, $3 shard, $4 position
INSERT INTO es_checkpoint AS checkpoint (reader, build, shard, pos, owner, updated_at)
VALUES ($1, $2, $3, $4, '', now())
ON CONFLICT (reader, build, shard) DO UPDATE SET pos = excluded.pos, updated_at = excluded.updated_at
WHERE checkpoint.pos < excluded.pos
