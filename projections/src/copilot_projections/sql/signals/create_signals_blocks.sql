-- Closed blocks: body is JSON with the slots and one column of readings per signal.
CREATE TABLE IF NOT EXISTS view_signals_blocks__build (
    cluster text NOT NULL,
    block_slot bigint NOT NULL,
    signals integer NOT NULL,
    last_slot bigint NOT NULL,
    interval_s integer NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (cluster, block_slot, signals)
);
