-- Insert rows or replace them; one list per column. $1 cluster, $2 shard, $3 position, $4
-- first_slot, $5 sample, $6 sample_version, $7 transition, $8 transition_version, $9 sight, $10
-- sight_type, $11 sight_version, $12 ranking, $13 ranking_version
INSERT INTO view_status__build (cluster, shard, position, first_slot, sample, sample_version,
    transition, transition_version, sight, sight_type, sight_version, ranking, ranking_version)
SELECT * FROM unnest($1::text[], $2::integer[], $3::bigint[], $4::bigint[], $5::text[],
    $6::integer[], $7::text[], $8::integer[], $9::text[], $10::text[], $11::integer[],
    $12::text[], $13::integer[])
ON CONFLICT (cluster) DO UPDATE SET
    shard = excluded.shard,
    position = excluded.position,
    first_slot = excluded.first_slot,
    sample = excluded.sample,
    sample_version = excluded.sample_version,
    transition = excluded.transition,
    transition_version = excluded.transition_version,
    sight = excluded.sight,
    sight_type = excluded.sight_type,
    sight_version = excluded.sight_version,
    ranking = excluded.ranking,
    ranking_version = excluded.ranking_version
