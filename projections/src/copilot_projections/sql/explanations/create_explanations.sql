-- Explanations, every revision of each; data is the event's payload.
CREATE TABLE IF NOT EXISTS view_explanations__build (
    cluster text NOT NULL,
    slot bigint NOT NULL,
    explains text NOT NULL,
    type text NOT NULL,
    revision integer NOT NULL,
    version bigint NOT NULL,
    shard integer NOT NULL,
    position bigint NOT NULL,
    event_id text NOT NULL,
    schema_version integer NOT NULL,
    data text NOT NULL,
    PRIMARY KEY (cluster, slot, explains, type, revision, version)
);
