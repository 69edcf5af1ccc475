"""A recorded incident of a real cluster, played through the whole line on this machine.

    recording ─► replayed Prometheus ─► scraper ─► copilot.samples.v1 ─► worker ─► log
                                                                                    │
    timeline in the terminal ◄── copilot.events.v1 ◄── relay ◄──────────────────────┤
    status and incidents ◄── API ◄── read models ◄── projector ◄────────────────────┘

What is real: the scraper's code over HTTP, Kafka's protocol, the Faust worker, PostgreSQL, relay,
projector and API, each as the process that runs in production. What is not: time. Slots are played
faster than they were recorded, so the scraper is driven slot by slot instead of by the clock, and
the watchdog, which compares slots with the clock, waits for ever.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

BUNDLED: Final = Path(__file__).parents[1] / "recordings" / "o1-workers-stopped.jsonl.gz"
"""Both workers of a real cluster were stopped for six minutes while the load went on."""
