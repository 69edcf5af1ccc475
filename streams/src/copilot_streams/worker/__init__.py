"""The worker: from a message of the samples topic to events in the log, once each."""
