-- Insert rows or replace them; one list per column. $1 cluster, $2 service, $3 progress, $4
-- pressure, $5 since_slot, $6 evidence, $7 dominant_signal, $8 artifacts
INSERT INTO view_services__build (cluster, service, progress, pressure, since_slot, evidence,
    dominant_signal, artifacts)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[],
    $7::text[], $8::text[])
ON CONFLICT (cluster, service) DO UPDATE SET
    progress = excluded.progress,
    pressure = excluded.pressure,
    since_slot = excluded.since_slot,
    evidence = excluded.evidence,
    dominant_signal = excluded.dominant_signal,
    artifacts = excluded.artifacts
