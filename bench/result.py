"""One figure of a benchmark, and the middle of several rounds."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class BenchResult:
    """What was measured beside a reference measured in the same run.

    `value` and `reference_value` are in `unit`; `reference` says what the reference did.
    """

    name: str
    value: float
    unit: str
    reference: str
    reference_value: float | None

    @classmethod
    def of_rounds(
        cls, name: str, unit: str, *, ours: list[float], reference: str, theirs: list[float]
    ) -> BenchResult:
        """The median of each side over rounds that alternated."""
        return cls(name, round(median(ours), 1), unit, reference, round(median(theirs), 1))

    @property
    def ratio(self) -> float | None:
        """value / reference_value; None without a reference."""
        return round(self.value / self.reference_value, 3) if self.reference_value else None

    def as_dict(self) -> dict[str, Any]:
        """The fields and the ratio, as `./dev bench --json` prints them."""
        return {**asdict(self), "ratio": self.ratio}

    def line(self) -> str:
        """One JSON line."""
        return json.dumps(self.as_dict())
