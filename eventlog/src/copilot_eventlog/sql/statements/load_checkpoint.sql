-- Where a reader stands in a shard.
-- $1 reader, $2 build, $3 shard
SELECT pos FROM es_checkpoint WHERE reader = $1 AND build = $2 AND shard = $3
