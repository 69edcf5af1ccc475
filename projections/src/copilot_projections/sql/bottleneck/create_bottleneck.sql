-- Changes of the bottleneck; reasons is a JSON list.
CREATE TABLE IF NOT EXISTS view_bottleneck__build (
    cluster text NOT NULL,
    slot bigint NOT NULL,
    was text NOT NULL,
    became text NOT NULL,
    reasons text NOT NULL,
    PRIMARY KEY (cluster, slot)
);
