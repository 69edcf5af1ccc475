"""Progress and readiness of one process, apart from how they are asked for.

*Live* means: something moved within the limit (or it was confirmed that there is nothing to do).
*Ready* means: every named condition holds. A process that is live but not ready is waiting for
somebody; a process that is not live is stuck and exits, so that a supervisor can start another.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that has to hold before this process can do its work, and why it does not."""

    holds: bool
    why: str = ""


class VitalSigns:
    """When something last moved, and which conditions hold.

    `limit_s` is how long a process may stand still; 0 means for ever. The clock is monotonic.
    """

    def __init__(self, *, limit_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.limit_s = limit_s
        self._clock = clock
        self._moved_at = clock()
        self.conditions: dict[str, Condition] = {}

    def progress(self) -> None:
        """Something moved, or there is provably nothing to do."""
        self._moved_at = self._clock()

    def still_for_s(self) -> float:
        """Seconds since something last moved."""
        return self._clock() - self._moved_at

    def stuck(self) -> bool:
        """True when nothing moved for longer than the limit."""
        return 0 < self.limit_s < self.still_for_s()

    def set_ready(self, condition: str, holds: bool, *, why: str = "") -> None:
        """Note whether a condition holds; `why` says what is being waited for."""
        self.conditions[condition] = Condition(holds, why)

    def ready(self) -> bool:
        """True when every condition named so far holds."""
        return all(condition.holds for condition in self.conditions.values())

    def waiting_for(self) -> dict[str, str]:
        """The conditions that do not hold, each with its reason."""
        return {name: c.why for name, c in self.conditions.items() if not c.holds}
