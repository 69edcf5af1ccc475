-- Insert rows or replace them; one list per column. $1 cluster, $2 version, $3 slot, $4 shard,
-- $5 position, $6 event_id, $7 fingerprint, $8 previous_fingerprint, $9 preset, $10 modifier,
-- $11 server_version, $12 compiler_version, $13 author, $14 reason, $15 changes, $16 profile,
-- $17 bounds
INSERT INTO view_config_history__build (cluster, version, slot, shard, position, event_id,
    fingerprint, previous_fingerprint, preset, modifier, server_version, compiler_version, author,
    reason, changes, profile, bounds)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::integer[], $5::bigint[],
    $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[],
    $13::text[], $14::text[], $15::text[], $16::text[], $17::text[])
ON CONFLICT (cluster, version) DO UPDATE SET
    slot = excluded.slot,
    shard = excluded.shard,
    position = excluded.position,
    event_id = excluded.event_id,
    fingerprint = excluded.fingerprint,
    previous_fingerprint = excluded.previous_fingerprint,
    preset = excluded.preset,
    modifier = excluded.modifier,
    server_version = excluded.server_version,
    compiler_version = excluded.compiler_version,
    author = excluded.author,
    reason = excluded.reason,
    changes = excluded.changes,
    profile = excluded.profile,
    bounds = excluded.bounds
