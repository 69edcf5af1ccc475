"""`explain_by_rule_ms`: from a sample to a transition that is diagnosed and in proven words.

Every transition of every recorded incident of the tests is folded, put into words from a book of
the cluster's last 400 health events, and its words are proven; all in one process. Measured is all
of that for one transition: the fold of its sample with the diagnosis, the book, the explanation,
and the proof. The reference decodes the events of the book and does nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from bench.result import BenchResult
from copilot_core.events import HealthTransitioned, NewEvent
from copilot_core.fold import fold, initial
from copilot_core.proving.proof import prove
from copilot_core.rules import RulePack
from copilot_core.samples import Input, Sample, sample_of
from copilot_core.signals import SIGNAL_NAMES
from copilot_core.words.book import book_of
from copilot_core.words.explainer import explain
from copilot_streams.recording import open_recording

RECORDINGS: Final = Path(__file__).parent.parent / "tests/data/recordings"
BOOK_EVENTS: Final = 400
ROUNDS: Final = 5


def run() -> Iterator[Mapping[str, Any]]:
    """Two figures: milliseconds at the median and at the 99th percentile of all transitions."""
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(ROUNDS):
        for path in sorted(RECORDINGS.glob("*.jsonl.gz")):
            for mine, reference in _timed(path):
                ours.append(mine)
                theirs.append(reference)
    for name, share in (("explain_by_rule_ms_p50", 0.5), ("explain_by_rule_ms_p99", 0.99)):
        yield BenchResult(
            name,
            round(_quantile(ours, share), 1),
            "ms",
            "decoding the same events of the log and nothing else",
            round(_quantile(theirs, share), 1),
        ).as_dict()


def _timed(path: Path) -> Iterator[tuple[float, float]]:
    rules = RulePack.default()
    with open_recording(path) as recording:
        messages = _longer(list(recording))
    state = initial(messages[0].cluster)
    health: list[NewEvent] = []
    for message in messages:
        began = time.perf_counter()
        step = fold(state, message, rules)
        folded_ms = (time.perf_counter() - began) * 1000
        state = step.state
        health += [e for e in step.events if e.stream.startswith("health/")]
        for event in step.events:
            if event.type != HealthTransitioned.__name__:
                continue
            recent = health[-BOOK_EVENTS:]
            began = time.perf_counter()
            book = book_of(recent, cluster=state.cluster, explains=event.event_id)
            prove(explain(book, event.event_id), book)
            told_ms = (time.perf_counter() - began) * 1000
            began = time.perf_counter()
            for one in recent:
                one.decoded()
            yield folded_ms + told_ms, (time.perf_counter() - began) * 1000


def _longer(messages: list[Input]) -> list[Input]:
    """The messages behind as many healthy slots as a book holds events: the fourth slot of the
    recording, which is before any fault, again and again."""
    samples = [m for m in messages if isinstance(m, Sample)]
    first, healthy = samples[0], samples[3]
    return [
        *(
            sample_of(
                {name: healthy[name] for name in SIGNAL_NAMES},
                cluster=healthy.cluster,
                slot=first.slot - n * first.interval_s,
                interval_s=first.interval_s,
                source=healthy.source,
            )
            for n in range(BOOK_EVENTS, 0, -1)
        ),
        *messages,
    ]


def _quantile(values: list[float], share: float) -> float:
    return sorted(values)[int(len(values) * share)]
