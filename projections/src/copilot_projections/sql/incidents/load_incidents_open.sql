-- Rows of some clusters. $1 clusters
SELECT cluster, began_slot, blind_since_slot
FROM view_incidents_open__build WHERE cluster = ANY($1::text[])
