"""Real components from Python wheels, for a machine that has neither Docker nor a JVM.

The parts speak the protocols of the real ones (PostgreSQL, Kafka), so that nothing else in the
code base knows whether it runs against them or against production: only addresses differ.
"""
