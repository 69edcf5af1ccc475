-- The only secondary index: a stream's versions happen once, and a stream can be read by itself.
CREATE UNIQUE INDEX ASYNC IF NOT EXISTS es_event_stream ON es_event (stream_id, version);
