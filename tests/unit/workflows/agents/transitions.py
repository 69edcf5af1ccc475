"""Several hundred different transitions: the recorded incidents, and each of them with less sight.

A variation takes readings away in one way that happens (a signal, a role's pulse, every log sample,
every third sample), so the rules decide anew: other gates, evidence, causes, words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from copilot_core.events import HealthTransitioned, NewEvent
from copilot_core.explanation import Explanation
from copilot_core.fold import fold, initial
from copilot_core.readings import Missing, Reading
from copilot_core.rules import RulePack
from copilot_core.samples import Input, LogSample, Sample
from copilot_core.signals import PULSE_OF, SIGNAL_LISTS, Role
from copilot_core.words.book import Book, book_of
from copilot_core.words.explainer import explain
from copilot_streams.recording import open_recording

RECORDINGS: Final = Path(__file__).parents[3] / "data" / "recordings"

TRANSITIONS: Final = 500

Variation = Callable[[int, Input], Input | None]

HIDDEN: Final = (
    PULSE_OF[Role.HISTORY],
    PULSE_OF[Role.FRONTEND],
    PULSE_OF[Role.MATCHING],
    PULSE_OF[Role.WORKERS],
    "closings_per_s",
    "starts_accepted_per_s",
    "persistence_p99_ms",
    "persistence_error_ratio",
    "workflow_backlog_age_s",
    "frontend_error_ratio",
    "completion_ratio",
    "transition_p95_ms",
    "steps_seen_by_history_per_s",
    "activity_slots_free",
    "activity_backlog_age_s",
    "history_backlog_age_s",
    "transition_p99_ms",
    "frontend_p99_ms",
    "starts_attempted_per_s",
    "mutations_per_s",
)


@dataclass(frozen=True)
class Case:
    """One transition: the book as of it, and the words of the rules."""

    name: str
    book: Book
    rules: Explanation


def hiding(signal: str) -> Variation:
    """The same incident without one signal."""

    def vary(_: int, message: Input) -> Input | None:
        if not isinstance(message, Sample):
            return message
        names = SIGNAL_LISTS[message.signals]
        readings: tuple[Reading, ...] = tuple(
            Missing.SCRAPE_FAILED if name == signal else value
            for name, value in zip(names, message.readings, strict=True)
        )
        return message.model_copy(update={"readings": readings})

    return vary


def _whole(_: int, message: Input) -> Input | None:
    return message


def _without_logs(_: int, message: Input) -> Input | None:
    return None if isinstance(message, LogSample) else message


def _every_third_lost(n: int, message: Input) -> Input | None:
    return None if isinstance(message, Sample) and n % 3 == 0 else message


def _begun_late(n: int, message: Input) -> Input | None:
    return message if n > 24 else None


VARIATIONS: Final[tuple[tuple[str, Variation], ...]] = (
    ("whole", _whole),
    ("no-logs", _without_logs),
    ("thirds-lost", _every_third_lost),
    ("begun-late", _begun_late),
    *((f"no-{signal}", hiding(signal)) for signal in HIDDEN),
)


@cache
def cases() -> tuple[Case, ...]:
    """The first `TRANSITIONS` that differ: of whole recordings, then of each variation."""
    found: dict[tuple[bytes, ...], Case] = {}
    recordings = _recordings()
    for name, vary in VARIATIONS:
        for recording, (cluster, messages) in recordings.items():
            varied = [m for n, message in enumerate(messages) if (m := vary(n, message))]
            for key, event, events in _transitions(cluster, varied):
                if key not in found:
                    book = book_of(events, cluster=cluster, explains=event.event_id)
                    rules = explain(book, event.event_id)
                    found[key] = Case(f"{recording}/{name}", book, rules)
        if len(found) >= TRANSITIONS:
            return tuple(found.values())[:TRANSITIONS]
    raise AssertionError(f"{len(found)} transitions, {TRANSITIONS} are needed: add a variation")


def _recordings() -> dict[str, tuple[str, list[Input]]]:
    found: dict[str, tuple[str, list[Input]]] = {}
    for path in sorted(RECORDINGS.glob("*.jsonl.gz")):
        with open_recording(path) as recording:
            found[path.name.split(".")[0]] = recording.header.cluster, list(recording)
    return found


def _transitions(
    cluster: str, messages: list[Input]
) -> Iterator[tuple[tuple[bytes, ...], NewEvent, list[NewEvent]]]:
    """Each transition with everything decided in its slot as key, and all events up to it."""
    state, rules = initial(cluster), RulePack.default()
    events: list[NewEvent] = []
    for message in messages:
        folded = fold(state, message, rules)
        state = folded.state
        events += folded.events
        for event in folded.events:
            if event.type == HealthTransitioned.__name__:
                yield tuple(e.payload for e in folded.events), event, list(events)
