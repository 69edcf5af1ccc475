-- Counted log patterns of one slot; counts is empty where the log could not be read.
CREATE TABLE IF NOT EXISTS view_log_patterns__build (
    cluster text NOT NULL,
    slot bigint NOT NULL,
    interval_s integer NOT NULL,
    counts text NOT NULL,
    missing text NOT NULL,
    excerpts text NOT NULL,
    PRIMARY KEY (cluster, slot)
);
