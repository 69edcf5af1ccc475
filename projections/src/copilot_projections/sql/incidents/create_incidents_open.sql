-- Per cluster the begin of its open incident and since when the copilot is blind, or null.
CREATE TABLE IF NOT EXISTS view_incidents_open__build (
    cluster text NOT NULL,
    began_slot bigint,
    blind_since_slot bigint,
    PRIMARY KEY (cluster)
);
