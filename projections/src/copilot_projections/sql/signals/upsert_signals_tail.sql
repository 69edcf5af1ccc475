-- Insert rows or replace them; one list per column. $1 cluster, $2 slot, $3 interval_s, $4
-- signals, $5 readings
INSERT INTO view_signals_tail__build (cluster, slot, interval_s, signals, readings)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::integer[], $4::integer[], $5::text[])
ON CONFLICT (cluster, slot) DO UPDATE SET
    interval_s = excluded.interval_s,
    signals = excluded.signals,
    readings = excluded.readings
