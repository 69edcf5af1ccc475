-- The log. Rows are inserted and read, never changed or removed: no statement of this project does.
-- payload is canonical JSON kept as text, so what is read is byte for byte what was appended;
-- meta is the rest of the envelope as JSON (where the message came from), absent without a message.
CREATE TABLE IF NOT EXISTS es_event (
    shard integer NOT NULL,
    pos bigint NOT NULL,
    stream_id text NOT NULL,
    version bigint NOT NULL,
    event_id uuid NOT NULL,
    type text NOT NULL,
    schema_version integer NOT NULL,
    source_offset bigint,
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    meta text,
    payload text NOT NULL,
    PRIMARY KEY (shard, pos)
);
