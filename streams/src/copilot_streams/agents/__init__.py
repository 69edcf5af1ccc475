"""The Faust side of the worker: what assigns partitions, delivers messages, and is not trusted."""
