-- How far a build has come, per shard. $1 reader, $2 build
SELECT shard, pos FROM es_checkpoint WHERE reader = $1 AND build = $2 ORDER BY shard
