-- The words in force, of each explained event the highest revision (of two alike the first
-- recorded), newest first. $1 cluster, $2 from, $3 until slot, $4 types, $5, $6, $7 slot, event and
-- type to end before, $8 limit
SELECT cluster, slot, explains, type, revision, version, shard, position, event_id, schema_version,
    data
FROM view_explanations__build AS told
WHERE cluster = $1 AND slot >= $2 AND slot < $3 AND type = ANY($4::text[])
    AND (slot, explains, type) < ($5::bigint, $6::text, $7::text)
    AND NOT EXISTS (
        SELECT 1 FROM view_explanations__build AS better
        WHERE better.cluster = told.cluster AND better.slot = told.slot
            AND better.explains = told.explains AND better.type = told.type
            AND (better.revision > told.revision
                OR (better.revision = told.revision AND better.version < told.version)))
ORDER BY slot DESC, explains DESC, type DESC LIMIT $8
