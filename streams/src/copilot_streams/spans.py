"""Spans of slots: what part of the past is read, and in which pieces."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from copilot_core.errors import Rejected


@dataclass(frozen=True, slots=True)
class Span:
    """Slots `first`, `first + step_s`, …, `last` (Unix seconds, both included)."""

    first: int
    last: int
    step_s: int

    def __len__(self) -> int:
        return (self.last - self.first) // self.step_s + 1

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.first, self.last + 1, self.step_s))

    def index(self, at: object) -> int | None:
        """The number of the slot that begins exactly at `at`; None when none does."""
        if isinstance(at, bool) or not isinstance(at, (int, float)):
            return None
        number, rest = divmod(at - self.first, self.step_s)
        return int(number) if rest == 0 and 0 <= number < len(self) else None

    def chunks(self, slots: int) -> list[Span]:
        """The span cut into pieces of at most `slots`."""
        return [
            Span(first, min(first + (slots - 1) * self.step_s, self.last), self.step_s)
            for first in range(self.first, self.last + 1, slots * self.step_s)
        ]

    def halves(self) -> tuple[Span, Span]:
        """The span cut in two; it must have two slots at least."""
        middle = self.first + (len(self) // 2) * self.step_s
        return (
            Span(self.first, middle - self.step_s, self.step_s),
            Span(middle, self.last, self.step_s),
        )

    def instants(self, count: int) -> list[int]:
        """At most `count` slots spread evenly over the span, its ends included."""
        last = len(self) - 1
        picked = {last * i // max(count - 1, 1) for i in range(count)}
        return [self.first + i * self.step_s for i in sorted(picked)]


def span_of(from_s: float, to_s: float, step_s: int) -> Span:
    """The slots that lie in [from, to]; raises `Rejected` when there is none."""
    first = -int(-from_s // step_s) * step_s
    last = int(to_s // step_s) * step_s
    if last < first:
        raise Rejected(
            f"no slot of {step_s} s between {from_s:g} and {to_s:g}",
            code="empty_range",
            todo="give a later --to, an earlier --from or a smaller --step",
        )
    return Span(first, last, step_s)
