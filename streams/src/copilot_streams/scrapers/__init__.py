"""Scrapers: they ask metrics and log backends at aligned slots and say what they saw.

prometheus.py   the signal table at one instant -> one Sample
loki.py         counted log patterns of one slot -> one LogSample
main.py         the process: slots, clusters, Kafka
"""
