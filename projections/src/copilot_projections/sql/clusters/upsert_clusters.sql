-- Insert rows or replace them; one list per column. $1 cluster, $2 shard, $3 position, $4 status,
-- $5 since_slot, $6 evidence, $7 evidence_since_slot, $8 worst, $9 band, $10 bottleneck, $11
-- last_slot, $12 interval_s, $13 source, $14 rules_digest
INSERT INTO view_clusters__build (cluster, shard, position, status, since_slot, evidence,
    evidence_since_slot, worst, band, bottleneck, last_slot, interval_s, source, rules_digest)
SELECT * FROM unnest($1::text[], $2::integer[], $3::bigint[], $4::text[], $5::bigint[],
    $6::text[], $7::bigint[], $8::text[], $9::text[], $10::text[], $11::bigint[], $12::integer[],
    $13::text[], $14::text[])
ON CONFLICT (cluster) DO UPDATE SET
    shard = excluded.shard,
    position = excluded.position,
    status = excluded.status,
    since_slot = excluded.since_slot,
    evidence = excluded.evidence,
    evidence_since_slot = excluded.evidence_since_slot,
    worst = excluded.worst,
    band = excluded.band,
    bottleneck = excluded.bottleneck,
    last_slot = excluded.last_slot,
    interval_s = excluded.interval_s,
    source = excluded.source,
    rules_digest = excluded.rules_digest
