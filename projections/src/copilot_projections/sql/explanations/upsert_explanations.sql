-- Insert rows or replace them; one list per column. $1 cluster, $2 slot, $3 explains, $4 type,
-- $5 revision, $6 version, $7 shard, $8 position, $9 event_id, $10 schema_version, $11 data
INSERT INTO view_explanations__build (cluster, slot, explains, type, revision, version, shard,
    position, event_id, schema_version, data)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::integer[],
    $6::bigint[], $7::integer[], $8::bigint[], $9::text[], $10::integer[], $11::text[])
ON CONFLICT (cluster, slot, explains, type, revision, version) DO UPDATE SET
    shard = excluded.shard,
    position = excluded.position,
    event_id = excluded.event_id,
    schema_version = excluded.schema_version,
    data = excluded.data
