-- The builds of each projection and what they are: being built, live, kept for a roll-back.
CREATE TABLE IF NOT EXISTS es_projection (
    projection text NOT NULL,
    build text NOT NULL,
    status text NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (projection, build)
);
