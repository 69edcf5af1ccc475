"""The relay: from the log to the public topic of events, in order, at least once."""
