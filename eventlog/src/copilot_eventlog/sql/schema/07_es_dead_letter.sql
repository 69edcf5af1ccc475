-- Inputs that were refused and events that a read model could not take, until they are redriven.
CREATE TABLE IF NOT EXISTS es_dead_letter (
    id text NOT NULL,
    source text NOT NULL,
    code text NOT NULL,
    reason text NOT NULL,
    body bytea NOT NULL,
    at timestamptz NOT NULL,
    redriven_at timestamptz,
    PRIMARY KEY (id)
);
