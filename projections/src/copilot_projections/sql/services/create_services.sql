-- Progress and pressure of each service of a cluster; artifacts is a JSON list.
CREATE TABLE IF NOT EXISTS view_services__build (
    cluster text NOT NULL,
    service text NOT NULL,
    progress text NOT NULL,
    pressure text NOT NULL,
    since_slot bigint NOT NULL,
    evidence text NOT NULL,
    dominant_signal text NOT NULL,
    artifacts text NOT NULL,
    PRIMARY KEY (cluster, service)
);
