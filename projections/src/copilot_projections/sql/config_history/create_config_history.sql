-- Configurations that were emitted; profile is a JSON object, changes and bounds are JSON lists.
CREATE TABLE IF NOT EXISTS view_config_history__build (
    cluster text NOT NULL,
    version bigint NOT NULL,
    slot bigint NOT NULL,
    shard integer NOT NULL,
    position bigint NOT NULL,
    event_id text NOT NULL,
    fingerprint text NOT NULL,
    previous_fingerprint text,
    preset text NOT NULL,
    modifier text,
    server_version text NOT NULL,
    compiler_version text NOT NULL,
    author text NOT NULL,
    reason text NOT NULL,
    changes text NOT NULL,
    profile text NOT NULL,
    bounds text NOT NULL,
    PRIMARY KEY (cluster, version)
);
