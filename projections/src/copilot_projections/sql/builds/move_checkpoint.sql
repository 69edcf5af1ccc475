-- Move a checkpoint if it still is where it was read; this fences a second projector.
-- $1 reader, $2 build, $3 shard, $4 position it was read at, $5 new position, $6 who moves it
UPDATE es_checkpoint SET pos = $5, owner = $6, updated_at = now()
WHERE reader = $1 AND build = $2 AND shard = $3 AND pos = $4
