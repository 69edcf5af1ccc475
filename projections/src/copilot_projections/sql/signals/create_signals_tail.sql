-- The newest slots of a cluster, row by row, until their block is closed.
CREATE TABLE IF NOT EXISTS view_signals_tail__build (
    cluster text NOT NULL,
    slot bigint NOT NULL,
    interval_s integer NOT NULL,
    signals integer NOT NULL,
    readings text NOT NULL,
    PRIMARY KEY (cluster, slot)
);
