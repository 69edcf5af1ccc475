"""What routes work with: built once, by whoever builds the app; routes reach it through `Call`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from prometheus_client import CollectorRegistry
from whenever import Instant

from copilot_api.last_known import LastKnown
from copilot_api.seats import Seats
from copilot_api.store import Store
from copilot_api.watch import Watch
from copilot_eventlog.protocol import EventLog
from copilot_projections.reader import ViewReader
from copilot_service.vital_signs import VitalSigns


@dataclass(frozen=True, slots=True)
class Deps:
    """The parts of a running API.

    `now` is the only clock that answers are dated by; `heartbeat_s` is the pause between
    heartbeats of an event stream.
    """

    views: ViewReader
    log: EventLog
    store: Store
    watch: Watch
    last_known: LastKnown
    seats: Seats
    signs: VitalSigns
    registry: CollectorRegistry
    heartbeat_s: float
    now: Callable[[], Instant]
