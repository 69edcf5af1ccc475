"""The recorded incidents are the judge of the causes, as they are of the status.

Truth is what was done to the cluster (`truth.json`), in the words of the closed vocabulary. Per
recording: the right cause stands first in the final ranking of the trouble that overlaps the fault;
a recording without a fault has none at all. The set score of a recording is 0 when a true cause is
missing, else the share of true ones among all that were ranked.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from copilot_core.causes import CAUSE
from copilot_core.diagnosis import finals
from copilot_core.events import CausesRanked, HealthTransitioned
from copilot_core.fold import fold, initial
from copilot_core.rules import RulePack
from copilot_streams.recording import open_recording

DATA: Final = Path(__file__).parent.parent / "data" / "recordings"
RECORDINGS: Final = sorted(p.name.removesuffix(".jsonl.gz") for p in DATA.glob("*.jsonl.gz"))

RIGHT_FIRST: Final = 0.9
"""Share of the recordings with a fault in which a true cause has to stand first."""
SET_SCORE: Final = 0.8


@dataclass(frozen=True)
class Judged:
    """One recording: true causes, those found in the final rankings in order, and every ranking."""

    id: str
    true: frozenset[str]
    found: tuple[str, ...]
    rankings: tuple[CausesRanked, ...]
    transitions: tuple[int, ...]

    @property
    def first_is_right(self) -> bool:
        """Whether what stands first was done to the cluster; without a fault, that nothing does."""
        return self.found[0] in self.true if self.found else not self.true

    @property
    def set_score(self) -> float:
        """0 when a true cause is missing, else precision."""
        if not self.true <= set(self.found):
            return 0.0
        return len(self.true) / len(set(self.found)) if self.found else 1.0


def _judged(name: str) -> Judged:
    faults = json.loads((DATA / f"{name}.truth.json").read_text())["faults"]
    causes = [f["cause"] for f in faults if f["cause"]]
    with open_recording(DATA / f"{name}.jsonl.gz") as recording:
        messages = list(recording)
    state, rankings, transitions = initial(messages[0].cluster), [], []
    for message in messages:
        step = fold(state, message, RulePack.default())
        state = step.state
        for event in (new.decoded() for new in step.events):
            if isinstance(event, CausesRanked):
                rankings.append(event)
            elif isinstance(event, HealthTransitioned):
                transitions.append(event.slot)
    found = [f"{c.component}/{c.kind}" for r in finals(rankings) for c in r.causes]
    return Judged(
        id=name,
        true=frozenset(f"{c['component']}/{c['kind']}" for c in causes),
        found=tuple(dict.fromkeys(found)),
        rankings=tuple(rankings),
        transitions=tuple(transitions),
    )


JUDGED: Final = {name: _judged(name) for name in RECORDINGS}


def test_the_right_cause_stands_first() -> None:
    """In at least nine of ten recordings with a fault, and never a cause where there was none."""
    faults = [j for j in JUDGED.values() if j.true]
    wrong = [
        f"{j.id}: {j.found} instead of {sorted(j.true)}" for j in faults if not j.first_is_right
    ]
    assert 1 - len(wrong) / len(faults) >= RIGHT_FIRST, wrong
    assert [(j.id, j.found) for j in JUDGED.values() if not j.true and j.found] == []


def test_the_set_of_causes_is_right() -> None:
    """Nothing that was done is missed, and bystanders are few."""
    scores = {j.id: j.set_score for j in JUDGED.values()}
    assert sum(scores.values()) / len(scores) >= SET_SCORE, scores


@pytest.mark.parametrize("name", RECORDINGS)
def test_every_transition_has_its_ranking(name: str) -> None:
    """With each transition, and beside those only where the ranking says something else."""
    judged = JUDGED[name]
    assert set(judged.transitions) <= {r.slot for r in judged.rankings}
    says = [
        (
            [(c.component, c.kind) for c in r.causes],
            [(c.component, c.signal) for c in r.cannot_tell],
        )
        for r in judged.rankings
    ]
    for before, ranking, now in zip([([], []), *says], judged.rankings, says, strict=False):
        assert now != before or ranking.slot in judged.transitions


@pytest.mark.parametrize("name", RECORDINGS)
def test_a_ranking_shows_what_it_rests_on(name: str) -> None:
    """Every cause is a row of the graph, every piece of evidence one of its signs, on its side of
    the figure; scores are shares."""
    for ranking in JUDGED[name].rankings:
        assert ranking.causes == () or ranking.since
        for cause in ranking.causes:
            row = CAUSE[f"{cause.component}/{cause.kind}"]
            signs = {s for entry in (*row.must, *row.supports) for s in entry.split("|")}
            assert cause.evidence
            assert 0.0 < cause.score <= 1.0
            assert ranking.since <= cause.since <= ranking.slot
            for seen in cause.evidence:
                assert seen.id in signs
                below = seen.value < seen.threshold
                assert below == (seen.comparison == "<")


def test_what_cannot_be_seen_is_said() -> None:
    """Without the count of failing activities it cannot be told whether they or the workflows'
    own code fail: the recording of before that signal says so."""
    cannot = {
        (c.component, c.kind, c.rather_than, c.signal)
        for r in JUDGED["n03-activities-failing"].rankings
        for c in r.cannot_tell
    }
    assert ("workflows", "failing", "activities/failing", "activity_failures_per_s") in cannot
