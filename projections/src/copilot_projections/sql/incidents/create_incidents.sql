-- Incidents; gates and blind are JSON lists, ended_slot is null while it lasts.
CREATE TABLE IF NOT EXISTS view_incidents__build (
    cluster text NOT NULL,
    began_slot bigint NOT NULL,
    ended_slot bigint,
    status text NOT NULL,
    worst text NOT NULL,
    worst_slot bigint NOT NULL,
    transitions integer NOT NULL,
    evidence_at_begin text NOT NULL,
    gates text NOT NULL,
    blind text NOT NULL,
    begin_summary text NOT NULL,
    end_summary text NOT NULL,
    PRIMARY KEY (cluster, began_slot)
);
