-- Folded states beside the log: a shortcut that can be thrown away and made again from it.
CREATE TABLE IF NOT EXISTS es_snapshot (
    stream_id text NOT NULL,
    version bigint NOT NULL,
    occurred_at timestamptz NOT NULL,
    payload bytea NOT NULL,
    PRIMARY KEY (stream_id, version)
);
