-- Pages over all clusters go by time.
CREATE INDEX ASYNC IF NOT EXISTS view_timeline__build_slot ON view_timeline__build (slot, shard, position);
