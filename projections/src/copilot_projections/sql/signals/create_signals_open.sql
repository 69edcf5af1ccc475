-- The block that the tail of a cluster belongs to, by its first second.
CREATE TABLE IF NOT EXISTS view_signals_open__build (
    cluster text NOT NULL,
    block_slot bigint NOT NULL,
    PRIMARY KEY (cluster)
);
