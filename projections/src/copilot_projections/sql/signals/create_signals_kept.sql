-- Stretches around transitions, whose blocks are never forgotten.
CREATE TABLE IF NOT EXISTS view_signals_kept__build (
    cluster text NOT NULL,
    from_slot bigint NOT NULL,
    to_slot bigint NOT NULL,
    PRIMARY KEY (cluster, from_slot)
);
