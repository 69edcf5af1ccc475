"""The one door to the append-only log: a protocol, an in-memory twin, PostgreSQL and Aurora DSQL."""
