"""Samples for the worker's unit tests."""

from __future__ import annotations

import random

from copilot_core.samples import Sample
from copilot_core.signals import SIGNAL_NAMES

FIRST_SLOT = 1_780_000_020
INTERVAL_S = 30


def sample(cluster: str, number: int) -> Sample:
    """The sample of a cluster's n-th slot, with readings of its own."""
    dice = random.Random(f"{cluster}/{number}")
    return Sample(
        cluster=cluster,
        slot=FIRST_SLOT + number * INTERVAL_S,
        interval_s=INTERVAL_S,
        source="test",
        readings=tuple(round(dice.random() * 40, 3) for _ in SIGNAL_NAMES),
    )
