-- Begin before the first event of a shard, unless begun. $1 reader, $2 build, $3 shard
INSERT INTO es_checkpoint (reader, build, shard, pos, owner, updated_at)
VALUES ($1, $2, $3, -1, '', now())
ON CONFLICT (reader, build, shard) DO NOTHING
