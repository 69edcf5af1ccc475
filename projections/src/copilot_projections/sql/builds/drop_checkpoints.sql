-- Forget where a dropped build stood. $1 reader, $2 build
DELETE FROM es_checkpoint WHERE reader = $1 AND build = $2
