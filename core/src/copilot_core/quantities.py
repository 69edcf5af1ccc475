"""Quantities: what the gates compare, worked out from readings, each with the range it could have.

Theory of operation. A gate never looks at a reading; it looks at a quantity, and a quantity is a
`Range`: the value as far as it was seen, and the lowest and highest value it can have given what was
not seen. A reading that is there makes a range of one point. A reading that is missing makes a range
up to infinity, so that a gate over it is neither fired nor clear: absence is not zero. Several
witnesses of one fact narrow each other, so losing one neither hides nor invents a stall.

    demand        accepted starts; attempted ones when those are unseen; the mean of earlier slots
                  (marked `assumed`) when both are
    first steps   the highest of three counts of completed workflow tasks
    waiting       the oldest work in matching and in history's queues
    remaining     while a role has no pulse: the first witness still seen, as a share of its own mean

Every quantity is a row of `QUANTITIES`; `survey` evaluates the table for one slot.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf
from types import MappingProxyType
from typing import Final, NamedTuple

from copilot_core.readings import Missing, Reading
from copilot_core.signals import BY_NAME, INDEX, PULSE_OF, SERVER_ROLES, SIGNALS, Group, Role

WINDOW_SLOTS: Final = 10
"""Slots that means and maxima look back (health rules: window 10 slots)."""

MIN_BASELINE_PER_S: Final = 0.1
"""A witness whose mean is below this says nothing about a role that fell silent."""


class Range(NamedTuple):
    """A quantity of one slot: `value` as seen (None: not seen), and what it could be.

    `assumed` marks a value taken from earlier slots. `void` marks a quantile over no observations
    (nothing happened, so nothing can be wrong with it) and a signal without a source.
    """

    value: float | None
    low: float
    high: float
    assumed: bool = False
    void: bool = False


UNSEEN: Final = Range(None, 0.0, inf)
VOID: Final = Range(None, 0.0, inf, void=True)


def point(value: float) -> Range:
    """A quantity that was seen."""
    return Range(value, value, value)


@dataclass(frozen=True, slots=True)
class Sight:
    """One slot as the rules see it: readings with silent roles taken out, and the slots before.

    `readings` is in signal order; `window` holds at most `WINDOW_SLOTS` earlier slots, oldest first,
    each in the same form; `silent` are the server roles without a pulse now.
    """

    readings: tuple[Reading, ...]
    window: tuple[tuple[Reading, ...], ...]
    silent: tuple[Role, ...]

    def __getitem__(self, name: str) -> Reading:
        return self.readings[INDEX[name]]

    def known(self, name: str) -> float | None:
        """The number of a signal, or None when it is missing."""
        value = self.readings[INDEX[name]]
        return None if isinstance(value, Missing) else value

    def earlier(self, name: str) -> list[float]:
        """The known numbers of a signal in the window, oldest first."""
        at = INDEX[name]
        return [v for slot in self.window if not isinstance(v := slot[at], Missing)]


_POSITIONS_OF: Final[Mapping[Role, tuple[int, ...]]] = MappingProxyType(
    {
        role: tuple(INDEX[s.name] for s in SIGNALS if s.role is role and s.group is not Group.PULSE)
        for role in (*SERVER_ROLES, Role.WORKERS)
    }
)


def without_silent_roles(
    readings: tuple[Reading, ...],
) -> tuple[tuple[Reading, ...], tuple[Role, ...]]:
    """Take out every reading of a role that has no pulse now.

    A rate outlives its target by its whole window: a frontend killed for 90 s stayed invisible in
    2-minute rates. Returns the readings and the server roles that do not report (their pulse query
    was answered with nothing; a pulse that could not be asked for says nothing about its role).
    """
    silent: list[Role] = []
    masked: list[Reading] | None = None
    for role, positions in _POSITIONS_OF.items():
        pulse = readings[INDEX[PULSE_OF[role]]]
        if not isinstance(pulse, Missing):
            continue
        if pulse is Missing.NO_SERIES and role is not Role.WORKERS:
            silent.append(role)
        masked = list(readings) if masked is None else masked
        for at in positions:
            if masked[at] is not Missing.NO_SOURCE:
                masked[at] = Missing.ROLE_SILENT
    return (readings if masked is None else tuple(masked)), tuple(silent)


def _reading(sight: Sight, name: str) -> Range:
    value = sight[name]
    if not isinstance(value, Missing):
        return point(value)
    if value is Missing.NO_SOURCE:
        return VOID
    counter = BY_NAME[name].counted_by
    if counter is not None and sight[counter] == 0.0:
        return VOID
    return UNSEEN


def _seen(name: str) -> Callable[[Sight], Range]:
    return lambda sight: _reading(sight, name)


def _demand(sight: Sight) -> Range:
    accepted = sight.known("starts_accepted_per_s")
    if accepted is not None:
        return point(accepted)
    attempted = sight.known("starts_attempted_per_s")
    if attempted is not None:
        exact = sight["starts_accepted_per_s"] is Missing.NO_SOURCE
        return point(attempted) if exact else Range(attempted, 0.0, inf)
    earlier = sight.earlier("starts_accepted_per_s") or sight.earlier("starts_attempted_per_s")
    if not earlier:
        return UNSEEN
    return Range(sum(earlier) / len(earlier), 0.0, inf, assumed=True)


STEP_WITNESSES: Final = (
    "steps_seen_by_frontend_per_s",
    "steps_seen_by_history_per_s",
    "steps_seen_by_workers_per_s",
)


def _first_steps(sight: Sight) -> Range:
    seen = [v for name in STEP_WITNESSES if (v := sight.known(name)) is not None]
    if not seen:
        return UNSEEN
    # One witness that counted work is proof of work; the unseen ones can only add to it.
    unseen = any(
        sight[name] is not Missing.NO_SOURCE for name in STEP_WITNESSES if sight.known(name) is None
    )
    return Range(max(seen), max(seen), inf if unseen else max(seen))


def _combined(how: Callable[[list[float]], float], *names: str) -> Callable[[Sight], Range]:
    """`how` (max, sum) over several signals; the unseen ones can only make it larger."""

    def combined(sight: Sight) -> Range:
        parts = [_reading(sight, name) for name in names]
        seen = [p.value for p in parts if p.value is not None]
        unseen = any(p.value is None and not p.void for p in parts)
        if not seen:
            return UNSEEN if unseen else VOID
        value = how(seen)
        return Range(value, value, inf if unseen else value)

    return combined


def _both(first: str, second: str) -> Callable[[Sight], Range]:
    def lower(sight: Sight) -> Range:
        a, b = sight.known(first), sight.known(second)
        if a is not None and b is not None:
            return point(min(a, b))
        if Missing.NO_SOURCE in (sight[first], sight[second]):
            return VOID
        seen = a if b is None else b
        return Range(None, 0.0, inf if seen is None else seen)

    return lower


def _silent_roles(sight: Sight) -> Range:
    unsure = sum(
        1
        for role in SERVER_ROLES
        if isinstance(sight[PULSE_OF[role]], Missing) and role not in sight.silent
    )
    silent = float(len(sight.silent))
    return Range(silent, silent, silent + unsure)


REMAINING_WITNESSES: Final = (
    "transitions_per_s",
    "steps_seen_by_history_per_s",
    "steps_seen_by_frontend_per_s",
)


def _remaining(sight: Sight) -> Range:
    pulses = [INDEX[PULSE_OF[role]] for role in SERVER_ROLES]
    whole = [s for s in sight.window if not any(isinstance(s[at], Missing) for at in pulses)]
    for name in REMAINING_WITNESSES:
        now = sight.known(name)
        before = [v for s in whole if not isinstance(v := s[INDEX[name]], Missing)]
        if now is None or not before:
            continue
        ratio = _over_mean(now, before)
        if ratio is not UNSEEN:
            return ratio
    return UNSEEN


def _over_mean(now: float, before: list[float]) -> Range:
    """A rate over its mean in earlier slots; unseen where the mean is too low to say anything.

    Which slots of the window were seen is an accident of sight: never a proof of health.
    """
    mean = sum(before) / len(before)
    return Range(now / mean, 0.0, inf) if mean >= MIN_BASELINE_PER_S else UNSEEN


def _closings_kept(sight: Sight) -> Range:
    now, before = sight.known("closings_per_s"), sight.earlier("closings_per_s")
    return UNSEEN if now is None or not before else _over_mean(now, before)


@dataclass(frozen=True, slots=True)
class Quantity:
    """One row: a name, its unit, what it means, and how it is worked out."""

    name: str
    unit: str
    meaning: str
    of: Callable[[Sight], Range]


def _as_read(name: str) -> Quantity:
    return Quantity(name, BY_NAME[name].unit, BY_NAME[name].meaning, _seen(name))


QUANTITIES: Final[tuple[Quantity, ...]] = (
    Quantity("demand_per_s", "1/s", "workflow starts asked for: accepted at history, else attempted at the frontend, else the mean of earlier slots", _demand),
    Quantity("first_steps_per_s", "1/s", "workflow tasks completed, by whichever witness counted most", _first_steps),
    Quantity("waiting_s", "s", "age of the oldest waiting work in matching and in history's queues",
             _combined(max, "workflow_backlog_age_s", "activity_backlog_age_s", "history_backlog_age_s")),
    Quantity("queue_wait_s", "s", "age of the oldest workflow or activity task in matching",
             _combined(max, "workflow_backlog_age_s", "activity_backlog_age_s")),
    Quantity("housekeeping_per_s", "1/s", "workflows and timers being deleted", _combined(sum, "retention_deletes_per_s", "cleanup_deletes_per_s")),
    Quantity("shards_moving_ratio", "ratio", "share of shards moved in 10 minutes, the lower of two windows in a row",
             _both("shards_moved_ratio", "shards_moved_before_ratio")),
    Quantity("silent_roles", "roles", "server roles without a pulse", _silent_roles),
    Quantity("remaining_ratio", "ratio", "the witness still seen over its own mean while all roles reported", _remaining),
    Quantity("closings_kept_ratio", "ratio", "closings over their own mean in the window", _closings_kept),
    *(
        _as_read(name)
        for name in (
            "transitions_per_s", "history_tasks_acked_per_s", "closings_per_s", "completions_per_s", "completion_ratio",
            "history_backlog_age_s", "due_tasks_loaded_per_s", "due_tasks_acked_per_s", "frontend_errors_per_s",
            "frontend_error_ratio", "persistence_errors_per_s", "persistence_error_ratio", "transition_p99_ms",
            "frontend_p99_ms", "persistence_p99_ms", "no_poller_tasks_per_s",
        )
    ),
)  # fmt: skip

QUANTITY: Final[Mapping[str, Quantity]] = MappingProxyType({q.name: q for q in QUANTITIES})


def survey(sight: Sight) -> dict[str, Range]:
    """Every quantity of one slot, by name."""
    return {q.name: q.of(sight) for q in QUANTITIES}


NEEDED: Final[tuple[str, ...]] = tuple(
    s.name
    for s in SIGNALS
    if s.decides and s.role is not Role.WORKERS and s.name != "shards_moved_before_ratio"
)
"""Signals without which no better status is granted. Left out: the workers' own view, which only adds
to the others, and the older window of moved shards, which matters only when the newer one is high (a
gate over it then stays open by its range) and which a young installation cannot have."""

_SERVER_PULSES: Final = frozenset(PULSE_OF[role] for role in SERVER_ROLES)
_NEEDED_AT: Final = tuple((INDEX[name], name, BY_NAME[name].counted_by) for name in NEEDED)


def missing_needs(sight: Sight) -> dict[str, Missing]:
    """The signals that the rules need and lack now, with the reason.

    A quantile over a known rate of zero is not lost, and a signal without a source is no loss.
    """
    lost: dict[str, Missing] = {}
    for at, name, counter in _NEEDED_AT:
        value = sight.readings[at]
        if not isinstance(value, Missing) or (
            value is Missing.NO_SOURCE and name not in _SERVER_PULSES
        ):
            continue
        if counter is not None and sight.readings[INDEX[counter]] == 0.0:
            continue
        lost[name] = value
    return lost


def understated_roles(sight: Sight) -> list[Role]:
    """Roles from which fewer processes report than at the most in the window: their sums are too low."""
    short: list[Role] = []
    for role in SERVER_ROLES:
        now = sight.known(PULSE_OF[role])
        earlier = sight.earlier(PULSE_OF[role])
        if now is not None and earlier and now < max(earlier):
            short.append(role)
    return short
