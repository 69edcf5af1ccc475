-- Every build there is or was, by view, newest change last.
SELECT projection, build, status, updated_at FROM es_projection ORDER BY projection, updated_at, build
