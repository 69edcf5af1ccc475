"""The one door to the append-only log: protocol, in-memory twin, PostgreSQL and Aurora DSQL."""
