"""Health: from what the gates say of a slot to the next status, and how sure it is.

Theory of operation. Two machines run side by side over the same table. The *seen* machine takes a
gate as fired when the visible values fire it. The *worst* machine takes it as fired unless it
cannot fire whatever was not seen; so its status is never better than the one full sight would have
given. With full sight they are the same machine. From their difference follows the evidence: as
long as the worst machine stands elsewhere, something that was not seen may have mattered, and
evidence stays partial even when everything is visible again (law L3).

    happy     --any gate fires-->                             stressed
    stressed  --3 critical evaluations in a row-->            critical
    critical  --no critical gate at its harder threshold-->   stressed     only with full sight
    stressed  --n clean evaluations in a row-->               happy        only with full sight

Clean is more than not fired: a gate that has to hold for several slots before it fires must not
hold at all. n is as many as there were bad evaluations since the status was happy, within the
limits of the settings: one bad slot is soon forgotten, an outage is not.

An evaluation that could not be made (a gate is open) neither counts nor breaks a run of critical
ones, and breaks a run of good ones. A change of band breaks nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from copilot_core.events import Evidence, Status
from copilot_core.gates import Evaluation
from copilot_core.rules import CRITICAL_EVALUATIONS, RulePack, Settings

_RANK: Final = {Status.UNKNOWN: -1, Status.HAPPY: 0, Status.STRESSED: 1, Status.CRITICAL: 2}


def rank(status: Status) -> int:
    """Order of badness: unknown −1, happy 0, stressed 1, critical 2."""
    return _RANK[status]


@dataclass(frozen=True, slots=True)
class Machine:
    """One of the two machines: its status and what it counts.

    `critical_run` and `good_run` are evaluations in a row. `bad_count` is how many were not clean
    since the status was happy, up to what the settings ask for; `was_critical` tells whether the
    status was critical since then.
    """

    status: Status = Status.UNKNOWN
    critical_run: int = 0
    good_run: int = 0
    bad_count: int = 0
    was_critical: bool = False


UNSTARTED: Final = Machine()


def _enough(machine: Machine, settings: Settings) -> int:
    """Clean evaluations in a row that make a stressed machine happy."""
    if machine.was_critical:
        return settings.happy_evaluations_after_critical
    return min(
        max(machine.bad_count, settings.happy_evaluations_at_least), settings.happy_evaluations
    )


def step(
    machine: Machine,
    *,
    critical: bool | None,
    bad: bool | None,
    clean: bool,
    held: bool,
    full_sight: bool,
    rules: RulePack,
) -> Machine:
    """One step of one machine.

    `critical` and `bad` tell whether a critical gate, or any gate, fired; None when that could not
    be said. `clean` tells that none could have. `held` keeps a critical status. Without
    `full_sight` nothing gets better.
    """
    settings = rules.settings
    critical_run, good_run, bad_count = machine.critical_run, 0, machine.bad_count
    if critical is not None:
        critical_run = min(critical_run + 1, CRITICAL_EVALUATIONS) if critical else 0
    if clean and full_sight:
        good_run = min(machine.good_run + 1, settings.happy_evaluations_after_critical)
    else:
        bad_count = min(bad_count + 1, settings.happy_evaluations)
    status, was_critical = machine.status, machine.was_critical
    match status:
        case Status.UNKNOWN:
            if bad:
                status = Status.STRESSED
            elif bad is False and full_sight:
                status = Status.HAPPY
        case Status.HAPPY:
            status = Status.STRESSED if bad else Status.HAPPY
        case Status.STRESSED:
            if critical_run >= CRITICAL_EVALUATIONS and critical:
                status, was_critical = Status.CRITICAL, True
            elif good_run >= _enough(machine, settings):
                status, was_critical = Status.HAPPY, False
        case Status.CRITICAL:
            if full_sight and not critical and not held:
                status = Status.STRESSED
    if status is Status.HAPPY:
        bad_count = 0
    return Machine(status, critical_run, good_run, bad_count, was_critical)


def step_both(
    seen: Machine, worst: Machine, evaluation: Evaluation, *, full_sight: bool, rules: RulePack
) -> tuple[Machine, Machine]:
    """Advance the seen and the worst machine by one evaluation.

    The seen machine gets better only to where the worst one stands too: nothing is promised that
    the unseen could still take back.
    """
    critical = (
        True if evaluation.critical_fired else None if evaluation.critical_possible else False
    )
    bad = True if evaluation.fired else None if evaluation.possible else False
    next_seen = step(
        seen,
        critical=critical,
        bad=bad,
        clean=evaluation.clean,
        held=bool(evaluation.held_possible),
        full_sight=full_sight,
        rules=rules,
    )
    next_worst = step(
        worst,
        critical=evaluation.critical_possible,
        bad=bool(evaluation.possible),
        clean=evaluation.clean,
        held=bool(evaluation.held_possible),
        full_sight=full_sight,
        rules=rules,
    )
    if rank(next_seen.status) < min(rank(seen.status), rank(next_worst.status)):
        next_seen = replace(
            next_seen,
            status=seen.status,
            bad_count=seen.bad_count,
            was_critical=seen.was_critical,
        )
    return next_seen, next_worst


def evidence(*, blind: bool, lacking: bool, seen: Machine, worst: Machine) -> Evidence:
    """Blind when no server role reports; partial when something is lacking now, or was and may
    still matter."""
    if blind:
        return Evidence.BLIND
    return Evidence.PARTIAL if lacking or worst.status is not seen.status else Evidence.FRESH
