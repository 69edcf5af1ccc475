"""Folding a recording for its causes: the rankings as they came, and what each trouble came to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from copilot.times import rfc3339_of
from copilot_core.diagnosis import finals
from copilot_core.events import CausesRanked, NewEvent, SampleRecorded
from copilot_core.values import UNWELL


@dataclass(frozen=True, slots=True)
class Trouble:
    """A stretch in which something was wrong: `since` its first slot, `until` the first slot in
    which it was over, None where that is not in the recording. `ranking` is the final one, None
    where causes were never ranked."""

    since: int
    until: int | None
    impaired: bool
    ranking: CausesRanked | None

    def as_record(self) -> dict[str, object]:
        """As a script reads it."""
        causes = self.ranking.causes if self.ranking else ()
        return {
            "since": rfc3339_of(self.since),
            "until": None if self.until is None else rfc3339_of(self.until),
            "causes": [
                {"component": c.component, "kind": c.kind, "score": c.score} for c in causes
            ],
        }


def troubles(events: Sequence[NewEvent]) -> list[Trouble]:
    """Every trouble that impaired progress or that a cause was found for, in order of time.

    `events` are those of one cluster, as they were decided. Sight that was poor for a moment, and
    nothing else, is no trouble.
    """
    decoded = [e.decoded() for e in events if e.type in ("SampleRecorded", "CausesRanked")]
    rankings = [e for e in decoded if isinstance(e, CausesRanked)]
    final = {ranking.since: ranking for ranking in finals(rankings)}
    found: list[Trouble] = []
    since, impaired = 0, False
    for sample in (e for e in decoded if isinstance(e, SampleRecorded)):
        now = sample.verdict.causes.since
        if since and now != since:
            found.append(Trouble(since, sample.slot, impaired, final.get(since)))
            impaired = False
        since = now
        impaired = (impaired or sample.verdict.status in UNWELL) and bool(now)
    if since:
        found.append(Trouble(since, None, impaired, final.get(since)))
    return [t for t in found if t.impaired or (t.ranking and t.ranking.causes)]
