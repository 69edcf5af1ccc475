"""How many event streams there may be at once."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Gauge

from copilot_api.problems import TooManyStreams


class Seats:
    """Counts open event streams, and refuses one too many."""

    def __init__(self, limit: int, *, registry: CollectorRegistry) -> None:
        self._limit = limit
        self._taken = 0
        gauge = Gauge("copilot_api_streams_open", "Event streams being served", registry=registry)
        gauge.set_function(lambda: self._taken)

    def take(self) -> None:
        """Take a seat; raises `TooManyStreams` when none is left."""
        if self._taken >= self._limit:
            raise TooManyStreams(
                f"{self._limit} event streams are open, the most this process serves"
            )
        self._taken += 1

    def leave(self) -> None:
        """Give a seat back."""
        self._taken -= 1
