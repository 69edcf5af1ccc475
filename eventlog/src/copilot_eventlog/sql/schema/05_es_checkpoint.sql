-- How far each reader (a build of a projection, the relay) has come in each shard.
-- owner names the process that moves it; empty where nobody claims it.
CREATE TABLE IF NOT EXISTS es_checkpoint (
    reader text NOT NULL,
    build text NOT NULL,
    shard integer NOT NULL,
    pos bigint NOT NULL,
    owner text NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (reader, build, shard)
);
