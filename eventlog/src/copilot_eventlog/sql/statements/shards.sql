-- The shards that have a head.
SELECT shard FROM es_head ORDER BY shard
