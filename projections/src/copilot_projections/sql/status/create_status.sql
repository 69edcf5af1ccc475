-- Per cluster the payloads of the events that speak for it now; empty text where there was none.
CREATE TABLE IF NOT EXISTS view_status__build (
    cluster text NOT NULL,
    shard integer NOT NULL,
    position bigint NOT NULL,
    first_slot bigint NOT NULL,
    sample text NOT NULL,
    sample_version integer NOT NULL,
    transition text NOT NULL,
    transition_version integer NOT NULL,
    sight text NOT NULL,
    sight_type text NOT NULL,
    sight_version integer NOT NULL,
    ranking text NOT NULL,
    ranking_version integer NOT NULL,
    PRIMARY KEY (cluster)
);
