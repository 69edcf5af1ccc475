-- Insert rows or replace them; one list per column. $1 cluster, $2 slot, $3 shard, $4 position,
-- $5 event_id, $6 schema_version, $7 likeliest, $8 data
INSERT INTO view_causes__build (cluster, slot, shard, position, event_id, schema_version, likeliest,
    data)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::integer[], $4::bigint[], $5::text[],
    $6::integer[], $7::text[], $8::text[])
ON CONFLICT (cluster, slot) DO UPDATE SET
    shard = excluded.shard,
    position = excluded.position,
    event_id = excluded.event_id,
    schema_version = excluded.schema_version,
    likeliest = excluded.likeliest,
    data = excluded.data
