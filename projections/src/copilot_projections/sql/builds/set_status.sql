-- Change what a build is, if it still is what was read. $1 view, $2 build, $3 old, $4 new status
UPDATE es_projection SET status = $4, updated_at = now()
WHERE projection = $1 AND build = $2 AND status = $3
