-- Rankings of causes; likeliest is the first cause or empty, data the event's payload.
CREATE TABLE IF NOT EXISTS view_causes__build (
    cluster text NOT NULL,
    slot bigint NOT NULL,
    shard integer NOT NULL,
    position bigint NOT NULL,
    event_id text NOT NULL,
    schema_version integer NOT NULL,
    likeliest text NOT NULL,
    data text NOT NULL,
    PRIMARY KEY (cluster, slot)
);
