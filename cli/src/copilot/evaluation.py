"""Folding samples of one cluster in this process: no broker, no database, the same decisions.

The worker and this module call the same `fold` on the same messages, so the digest printed here is
the digest of the log that a worker would have written.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from copilot_core.events import Digest, Evidence, NewEvent, SampleRecorded, Status
from copilot_core.fold import ClusterState, fold, initial
from copilot_core.rules import RulePack
from copilot_core.samples import Input, Sample
from copilot_streams.recording import open_recording


class Evaluation:
    """A fold in progress and what it has come to so far."""

    def __init__(self, cluster: str, rules: RulePack) -> None:
        self._state: ClusterState = initial(cluster)
        self._rules = rules
        self._digest = Digest()
        self._seconds_by_status: Counter[str] = Counter()
        self._seconds_by_evidence: Counter[str] = Counter()
        self.samples = 0

    def feed(self, message: Input) -> tuple[NewEvent, ...]:
        """Fold the next message; returns the events it led to."""
        folded = fold(self._state, message, self._rules)
        self._state = folded.state
        self.samples += isinstance(message, Sample)
        self._digest.add_all(folded.events)
        for event in folded.events:
            if event.type == SampleRecorded.__name__:
                self._count(event)
        return folded.events

    def _count(self, event: NewEvent) -> None:
        recorded = event.decoded()
        assert isinstance(recorded, SampleRecorded)
        self._seconds_by_status[recorded.verdict.status] += recorded.interval_s
        self._seconds_by_evidence[recorded.verdict.evidence] += recorded.interval_s

    def summary(self) -> Summary:
        """What the fold has come to; may be asked at any time."""
        return Summary(
            samples=self.samples,
            events=self._digest.events,
            digest=self._digest.hexdigest(),
            seconds_by_status={s.value: self._seconds_by_status[s] for s in Status},
            seconds_by_evidence={e.value: self._seconds_by_evidence[e] for e in Evidence},
        )


@dataclass(frozen=True, slots=True)
class Summary:
    """The last line of an evaluation.

    `samples` counts the metric samples that were fed; `events` every event of the fold, the
    per-slot records included; `digest` is over all of them.
    """

    samples: int
    events: int
    digest: str
    seconds_by_status: dict[str, int]
    seconds_by_evidence: dict[str, int]

    def as_record(self) -> dict[str, object]:
        """The summary as a script reads it."""
        return {
            "type": "Summary",
            "samples": self.samples,
            "events": self.events,
            "digest": self.digest,
            "seconds_by_status": self.seconds_by_status,
            "seconds_by_evidence": self.seconds_by_evidence,
        }


def folded_recording(path: Path, rules: RulePack) -> tuple[NewEvent, ...]:
    """Every event of folding a recording at once; raises `Rejected` for what is none."""
    with open_recording(path) as recording:
        evaluation = Evaluation(recording.header.cluster, rules)
        return tuple(event for message in recording for event in evaluation.feed(message))
