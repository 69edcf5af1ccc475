"""Diagnosis: which causes explain what is seen in a slot, ranked. Explains, never decides.

Theory of operation. `diagnose` runs once per slot, after the verdict and without any effect on it.

    trouble    begins with the first slot that is not happy in full sight, or in which something of
               the installation is gone, and ends when nothing was wrong for a while. What was
               usual before it is kept for as long as it lasts: a window that slides would take a
               long fault for the usual state.
    suspicion  a cause is suspected in a slot when all its signs are seen and none that rules it
               out; its score is the share of its signs that are seen, of those that can be.
    track      scores add up over slots and fade slowly, so a cause that was there for minutes is
               not forgotten in the slot in which it ends, and one bad slot makes no cause.
    ranking    what was suspected in enough slots, less what another cause brings along, less what
               merely follows while a backlog is worked off; heaviest first.

Two independent causes at once are two causes; a bystander whose signs another cause brings is none.
A cause that may be there but whose telling sign cannot be read is not ranked: that it cannot be
told, and for want of which signal, is part of the answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from statistics import median
from typing import Final

from copilot_core.causes import CAUSE, CAUSES, GRAPH_DIGEST, Cause
from copilot_core.events import (
    CannotTell,
    CausesRanked,
    CauseTrack,
    CauseTracks,
    RankedCause,
    SignSeen,
)
from copilot_core.quantities import Sight
from copilot_core.readings import Missing, Reading, reading
from copilot_core.signals import PULSE_OF, SERVER_ROLES, Role
from copilot_core.signs import SIGN, Scene, hold_s, pulse
from copilot_core.values import UNWELL, Evidence, Status

QUIET_SLOTS: Final = 4
"""Slots without anything wrong after which the trouble is over."""
CALM_SLOTS: Final = 20
"""Slots happy in full sight after which even what is still gone counts as the new usual state: a
worker that was taken away on purpose is no trouble for ever. As long as two windows."""
FADE: Final = 0.95
"""Share of a track's weight that is left after a slot: half of it after 14 slots."""
AFTERMATH_SLOTS: Final = 20
"""Slots after the end of a cause in which the backlog that it left may still be worked off: a stop
of 6 minutes at 2 workflows/s was drained for 5 to 8 minutes (o1, t1)."""
USUAL_SLOT_S: Final = 30
"""Seconds of a slot that the figures of causes are meant for. Shorter slots have to last as long:
rates look back a minute whatever the slot, and say for so long that work goes on."""
GUESS_SLOTS: Final = 2
"""Causes that need no more slots than this are named in their first one while the cluster is not
happy and nothing better is known: on-call reads the first transition."""
AGAINST: Final = 0.5
"""What a sign against a cause takes, where one for it adds 1."""

LEAST_HOLD_S: Final = 0.5
"""Slot-seconds per closing that count as usual at the least: workers that were idle by chance in
most slots would make any use of slots look unusual."""

_USUAL: Final = (
    "steps_seen_by_frontend_per_s",
    "steps_seen_by_history_per_s",
    "steps_seen_by_workers_per_s",
    "transitions_per_s",
    "closings_per_s",
    "processes_restarted",
)
_ROLES: Final = (*SERVER_ROLES, Role.WORKERS)


class Looks:
    """The signs of one slot, each looked at once."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self._looks: dict[str, tuple[bool | None, Reading]] = {}
        self._states: dict[str, bool | None] = {}

    def look(self, sign: str) -> tuple[bool | None, Reading]:
        """Whether a sign is seen, and what was read."""
        if sign not in self._looks:
            self._looks[sign] = SIGN[sign].look(self.scene)
        return self._looks[sign]

    def state(self, alternatives: str) -> bool | None:
        """Whether one of `a|b` is seen; None when none is and one cannot be read."""
        if alternatives not in self._states:
            states = [self.look(sign)[0] for sign in alternatives.split("|")]
            self._states[alternatives] = True in states or (None if None in states else False)
        return self._states[alternatives]

    def seen(self, entries: Iterable[str]) -> tuple[SignSeen, ...]:
        """What was read of those signs that are seen, each once."""
        found: dict[str, SignSeen] = {}
        for entry in entries:
            for sign in entry.split("|"):
                is_seen, value = self.look(sign)
                if is_seen and not isinstance(value, Missing):
                    found[sign] = SIGN[sign].seen(self.scene, value)
        return tuple(found.values())


def processes(sight: Sight) -> dict[str, float]:
    """The most processes of each role in the window before a slot."""
    return {role: max(seen) for role in _ROLES if (seen := sight.earlier(PULSE_OF[role]))}


def usual(sight: Sight) -> dict[str, float]:
    """What was read in the window before a slot: the median of rates, the most processes."""
    known = dict[str, float](processes(sight))
    for name in _USUAL:
        if earlier := sight.earlier(name):
            known[name] = _rounded(median(earlier))
    demand = sight.earlier("starts_accepted_per_s") or sight.earlier("starts_attempted_per_s")
    if demand:
        known["demand_per_s"] = _rounded(median(demand))
    held = [h for slot in sight.window if (h := hold_s(Sight(slot, (), ()))) is not None]
    if held:
        known["hold_s"] = _rounded(max(LEAST_HOLD_S, median(held)))
    return known


def _rounded(value: float) -> float:
    rounded = reading(value)
    return 0.0 if isinstance(rounded, Missing) else rounded


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was suspected up to a slot, and the ranking that follows."""

    tracks: CauseTracks
    causes: tuple[RankedCause, ...]
    cannot_tell: tuple[CannotTell, ...]

    def says(self) -> tuple[str, ...]:
        """What two rankings have in common that say the same."""
        return _says(self.causes, self.cannot_tell)


def differs(found: Diagnosis, last: CausesRanked | None) -> bool:
    """Whether a ranking says something else than the last one; before the first, anything does."""
    told = () if last is None else _says(last.causes, last.cannot_tell)
    return found.says() != told


def _says(causes: Iterable[RankedCause], cannot: Iterable[CannotTell]) -> tuple[str, ...]:
    return (
        *(f"{c.component}/{c.kind}" for c in causes),
        *(f"?{c.component}/{c.kind}:{c.signal}" for c in cannot),
    )


def ranked(found: Diagnosis, scene: Scene, *, status: Status, evidence: Evidence) -> CausesRanked:
    """The event that records a ranking."""
    return CausesRanked(
        slot=scene.slot,
        since=found.tracks.since,
        status=status,
        evidence=evidence,
        causes=found.causes,
        cannot_tell=found.cannot_tell,
        graph_digest=GRAPH_DIGEST,
    )


def diagnose(
    before: CauseTracks,
    scene: Scene,
    *,
    status: Status,
    evidence: Evidence,
    last: CausesRanked | None,
) -> Diagnosis:
    """Diagnose one slot. What was usual is filled into the scene here: only a slot in which there
    is something to diagnose needs it.

    `before` is what had been suspected, `last` the last ranking: it keeps the evidence of causes
    that are not seen any more.
    """
    unwell = status in UNWELL
    impaired = unwell or bool(scene.fired)
    fresh = evidence is Evidence.FRESH
    if not (before.since or impaired or not fresh or _gone(scene)):
        return Diagnosis(CauseTracks(), (), ())
    scene = replace(scene, usual=_usual_then(before, scene, impaired=impaired))
    looks = Looks(scene)
    suspected = {
        c.key: score(c, looks)
        for c in CAUSES
        if (impaired or c.structural) and _suspected(c, looks)
    }
    calm = before.calm + 1 if fresh and status is Status.HAPPY else 0
    quiet = 0 if impaired or suspected or not fresh else before.quiet + 1
    if quiet >= QUIET_SLOTS or calm >= CALM_SLOTS:
        return Diagnosis(CauseTracks(), (), ())
    tracks = _tracked(before.tracks, suspected, scene.slot)
    believed = _believed(tracks, scene, guess=unwell)
    return Diagnosis(
        CauseTracks(
            since=before.since or scene.slot,
            quiet=quiet,
            calm=calm,
            tracks=tracks,
            usual=dict(scene.usual),
        ),
        tuple(_ranked(CAUSE[key], tracks[key], suspected, looks, last) for key in believed),
        tuple(_cannot_tell(looks, believed, impaired=impaired)),
    )


def _gone(scene: Scene) -> bool:
    """Whether fewer processes of some role report than before."""
    before = processes(scene.sight)
    scene = replace(scene, usual=before)
    return any(
        role in before and not isinstance(now := pulse(scene, role), Missing) and now < before[role]
        for role in _ROLES
    )


def _usual_then(before: CauseTracks, scene: Scene, *, impaired: bool) -> dict[str, float]:
    """What was usual before the trouble began; as long as nothing is suspected, before now."""
    settled = before.since and (before.tracks or impaired)
    known = dict(before.usual) if settled else usual(scene.sight)
    for role in _ROLES:  # processes that were added meanwhile, or seen for the first time
        now = scene.sight.known(PULSE_OF[role])
        if now is not None and now >= 1.0:
            known[role] = max(now, known.get(role, 0.0))
    return known


def _suspected(cause: Cause, looks: Looks) -> bool:
    return all(looks.state(entry) for entry in cause.must) and not any(
        looks.state(entry) for entry in cause.unless
    )


def score(cause: Cause, looks: Looks) -> float:
    """The share of a cause's signs that are seen, of those that can be, less what speaks against.

    What it must have counts twice as much as what supports it.
    """
    must, supports = 2.0 * len(cause.must), [looks.state(s) for s in cause.supports]
    visible = must + sum(1 for s in supports if s is not None)
    against = sum(AGAINST for s in cause.against if looks.state(s))
    found = must + sum(1 for s in supports if s) - against
    return round(max(0.0, found / visible), 4)


def _tracked(
    tracks: Mapping[str, CauseTrack], suspected: Mapping[str, float], slot: int
) -> dict[str, CauseTrack]:
    """The tracks after a slot, in the order of the table of causes."""
    known: dict[str, CauseTrack] = {}
    for cause in CAUSES:
        key, track = cause.key, tracks.get(cause.key)
        faded = round(track.weight * FADE, 4) if track else 0.0
        if key in suspected:
            known[key] = CauseTrack(
                weight=round(faded + suspected[key], 4),
                slots=track.slots + 1 if track else 1,
                first=track.first if track else slot,
                last=slot,
            )
        elif track is not None:
            known[key] = track.model_copy(update={"weight": faded})
    return known


def _believed(tracks: Mapping[str, CauseTrack], scene: Scene, *, guess: bool) -> list[str]:
    """The causes that are ranked, heaviest first."""
    enough = [
        key
        for key, track in tracks.items()
        if track.slots >= CAUSE[key].slots
        and track.last - track.first + scene.interval_s >= CAUSE[key].slots * USUAL_SLOT_S
    ]
    if guess and not enough:  # the first guess, while nothing better is known
        enough = [
            key
            for key, track in tracks.items()
            if track.last == scene.slot and CAUSE[key].slots <= GUESS_SLOTS
        ]
    kept = [key for key in enough if not _follows(key, tracks, enough, scene)]
    brought = {other for key in kept for other in CAUSE[key].brings}
    own = [key for key in kept if key not in brought]
    return sorted(own, key=lambda key: -tracks[key].weight)  # of equals, the table's first one


def _follows(
    key: str, tracks: Mapping[str, CauseTrack], enough: Iterable[str], scene: Scene
) -> bool:
    """Whether a cause began when another one that leaves such traces had ended, not long ago."""
    began, within = tracks[key].first, AFTERMATH_SLOTS * scene.interval_s
    return any(
        other != key
        and other in CAUSE[key].follows
        and tracks[other].last < began <= tracks[other].last + within
        for other in enough
    )


def _ranked(
    cause: Cause,
    track: CauseTrack,
    suspected: Mapping[str, float],
    looks: Looks,
    last: CausesRanked | None,
) -> RankedCause:
    now = cause.key in suspected
    told = next(
        (
            c
            for c in (last.causes if last else ())
            if (c.component, c.kind) == (cause.component, cause.kind)
        ),
        None,
    )
    if not now and told is not None:
        return told.model_copy(update={"now": False, "since": track.first})
    return RankedCause(
        component=cause.component,
        kind=cause.kind,
        score=suspected.get(cause.key, round(min(1.0, track.weight / track.slots), 4)),
        since=track.first,
        now=now,
        evidence=looks.seen((*cause.must, *cause.supports)),
        against=looks.seen(cause.against),
    )


def _cannot_tell(looks: Looks, believed: list[str], *, impaired: bool) -> Iterator[CannotTell]:
    """Causes that may be there, as far as can be seen, but whose telling sign cannot be read."""
    for cause in CAUSES:
        if not cause.tells or cause.key in believed or not (impaired or cause.structural):
            continue
        states = {entry: looks.state(entry) for entry in cause.must}
        if False in states.values() or any(looks.state(s) for s in cause.unless):
            continue
        for tell in cause.tells:
            state, read = looks.look(tell.sign)
            told = state is None and any(
                states[e] is None and tell.sign in e.split("|") for e in states
            )
            if told and isinstance(read, Missing) and True in states.values():
                yield CannotTell(
                    component=cause.component,
                    kind=cause.kind,
                    rather_than=tell.rather_than or None,
                    signal=SIGN[tell.sign].signal,
                    missing=read,
                )


def finals(rankings: Iterable[CausesRanked]) -> tuple[CausesRanked, ...]:
    """The last ranking of every trouble, in order of time: what each came to in the end.

    `rankings` are those of one cluster, in order.
    """
    last = {ranking.since: ranking for ranking in rankings if ranking.since}
    return tuple(last[since] for since in sorted(last))
