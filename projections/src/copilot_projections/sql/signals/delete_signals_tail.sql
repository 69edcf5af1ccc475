-- Take slots out of the tail: they are in a block now. $1 clusters, $2 slots
DELETE FROM view_signals_tail__build
WHERE (cluster, slot) IN (SELECT * FROM unnest($1::text[], $2::bigint[]))
