-- One entry per event that is more than a sample; data is its payload.
CREATE TABLE IF NOT EXISTS view_timeline__build (
    cluster text NOT NULL,
    slot bigint NOT NULL,
    shard integer NOT NULL,
    position bigint NOT NULL,
    stream text NOT NULL,
    version bigint NOT NULL,
    event_id text NOT NULL,
    type text NOT NULL,
    schema_version integer NOT NULL,
    was text NOT NULL,
    became text NOT NULL,
    summary text NOT NULL,
    reasons text NOT NULL,
    data text NOT NULL,
    PRIMARY KEY (cluster, slot, shard, position)
);
