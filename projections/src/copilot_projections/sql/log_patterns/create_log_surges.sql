-- Patterns that occurred far more often than usual in one slot.
CREATE TABLE IF NOT EXISTS view_log_surges__build (
    cluster text NOT NULL,
    slot bigint NOT NULL,
    service text NOT NULL,
    pattern text NOT NULL,
    count bigint NOT NULL,
    usual double precision NOT NULL,
    PRIMARY KEY (cluster, slot, service, pattern)
);
