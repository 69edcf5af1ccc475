-- One line per watched cluster, after its last recorded sample. Slots are Unix seconds.
CREATE TABLE IF NOT EXISTS view_clusters__build (
    cluster text NOT NULL,
    shard integer NOT NULL,
    position bigint NOT NULL,
    status text NOT NULL,
    since_slot bigint NOT NULL,
    evidence text NOT NULL,
    evidence_since_slot bigint NOT NULL,
    worst text NOT NULL,
    band text NOT NULL,
    bottleneck text NOT NULL,
    last_slot bigint NOT NULL,
    interval_s integer NOT NULL,
    source text NOT NULL,
    rules_digest text NOT NULL,
    PRIMARY KEY (cluster)
);
