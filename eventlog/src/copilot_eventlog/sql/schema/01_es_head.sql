-- One row per shard: the fencing token, the next position, and the receipt of the last append.
-- source_offset counts in source (an incarnation of the topic); carry belongs to the writer.
CREATE TABLE IF NOT EXISTS es_head (
    shard integer NOT NULL,
    epoch bigint NOT NULL,
    next_pos bigint NOT NULL,
    source text NOT NULL,
    source_offset bigint NOT NULL,
    carry bytea NOT NULL,
    writer text NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (shard)
);
