-- Every revision of what was said of one event, the one in force first. $1 cluster, $2 event
-- explained, $3 types, $4 limit
SELECT cluster, slot, explains, type, revision, version, shard, position, event_id, schema_version,
    data
FROM view_explanations__build
WHERE cluster = $1 AND explains = $2 AND type = ANY($3::text[])
ORDER BY revision DESC, version LIMIT $4
