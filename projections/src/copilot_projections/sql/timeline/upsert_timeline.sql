-- Insert rows or replace them; one list per column. $1 cluster, $2 slot, $3 shard, $4 position,
-- $5 stream, $6 version, $7 event_id, $8 type, $9 schema_version, $10 was, $11 became, $12
-- summary, $13 reasons, $14 data
INSERT INTO view_timeline__build (cluster, slot, shard, position, stream, version, event_id, type,
    schema_version, was, became, summary, reasons, data)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::integer[], $4::bigint[], $5::text[],
    $6::bigint[], $7::text[], $8::text[], $9::integer[], $10::text[], $11::text[], $12::text[],
    $13::text[], $14::text[])
ON CONFLICT (cluster, slot, shard, position) DO UPDATE SET
    stream = excluded.stream,
    version = excluded.version,
    event_id = excluded.event_id,
    type = excluded.type,
    schema_version = excluded.schema_version,
    was = excluded.was,
    became = excluded.became,
    summary = excluded.summary,
    reasons = excluded.reasons,
    data = excluded.data
