-- Note a new build, unless there is one of this name. $1 view, $2 build, $3 status, $4 at
INSERT INTO es_projection (projection, build, status, updated_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (projection, build) DO NOTHING
