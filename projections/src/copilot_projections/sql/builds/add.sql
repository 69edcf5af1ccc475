-- Note a new build; a build that exists already is a conflict. $1 view, $2 build, $3 status
INSERT INTO es_projection (projection, build, status, updated_at) VALUES ($1, $2, $3, now())
