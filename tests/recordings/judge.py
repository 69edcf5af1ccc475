"""Judges verdicts against what clients saw: the load generator's log decides, not the metrics.

From the workload of a recording come trailing 60-second windows, moved by 10 s, in which at least
12 workflows were attempted. A window with less than 10 % completed is *blocked*, with less than 50
% *impaired*; overlapping ones merge. What the rules owe (`docs/reference/rules.md`):

    blocked for 150 s or more      critical within 120 s of its start
    impaired for 50 s or more      at least stressed within 90 s of its start
    critical                       only from 60 s before to 7 min after an impaired interval
    nothing wrong with the cluster never critical, stressed at most 10 % of the time
    all endpoints lost             blind within 60 s; no better status while blind
    quiet for 10 minutes           happy
    always                         no return to happy twice within 10 minutes; worse names a gate
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

from copilot_core.events import Evidence, HealthTransitioned, SampleRecorded, Status
from copilot_core.fold import fold, initial
from copilot_core.health import rank
from copilot_core.rules import RulePack
from copilot_core.samples import Input

WINDOW_S: Final = 60
WORKLOAD_SLOT_S: Final = 10
MIN_ATTEMPTED: Final = 12

Interval = tuple[float, float]


@dataclass(frozen=True)
class Truth:
    """What really happened: intervals in Unix seconds."""

    id: str
    begin: float
    end: float
    blocked: tuple[Interval, ...]
    impaired: tuple[Interval, ...]
    all_lost: tuple[Interval, ...]
    cluster_fine: bool
    last_trouble: float


def read_truth(truth: Path, workload: Path) -> Truth:
    """Work out what happened from a recording's truth and its clients' log."""
    told = json.loads(truth.read_text())
    rows = list(csv.DictReader(workload.read_text().splitlines()))
    unwanted = [(a / 1000, b / 1000) for a, b in told.get("not_demand_ms") or []]
    begin, end = (ms / 1000 for ms in told["window_ms"])
    impaired = tuple(_windows(rows, 0.5, unwanted))
    faults = told["faults"]
    return Truth(
        id=told["id"],
        begin=begin,
        end=end,
        blocked=tuple(_windows(rows, 0.1, unwanted)),
        impaired=impaired,
        all_lost=tuple(
            (f["begin_ms"] / 1000, f["end_ms"] / 1000)
            for f in faults
            if f["id"].startswith("metrics-lost-all")
        ),
        cluster_fine=all((f["cause"] or {}).get("kind") in (None, "not_visible") for f in faults),
        last_trouble=max([f["end_ms"] / 1000 for f in faults] + [b for _, b in impaired]),
    )


def _windows(
    rows: list[dict[str, str]], share: float, unwanted: list[Interval]
) -> Iterator[Interval]:
    """Merged windows in which less than `share` of what was attempted was completed."""
    times = [int(r["t_ms"]) / 1000 for r in rows]
    slots = WINDOW_S // WORKLOAD_SLOT_S
    current: Interval | None = None
    for i in range(slots - 1, len(rows)):
        first, last = times[i - slots + 1], times[i]
        window = rows[i - slots + 1 : i + 1]
        attempted = sum(int(r["attempted"]) for r in window)
        completed = sum(int(r["completed"]) for r in window)
        gap = last - first != WINDOW_S - WORKLOAD_SLOT_S
        if (
            gap
            or attempted < MIN_ATTEMPTED
            or any(first < b and last + WORKLOAD_SLOT_S > a for a, b in unwanted)
        ):
            continue
        if completed < share * attempted:
            if current is not None and last <= current[1]:
                current = (current[0], last + WORKLOAD_SLOT_S)
            else:
                if current is not None:
                    yield current
                current = (last, last + WORKLOAD_SLOT_S)
    if current is not None:
        yield current


@dataclass(frozen=True)
class Told:
    """What the rules said: per slot status and evidence, and every transition."""

    slots: tuple[tuple[int, Status, Evidence], ...]
    transitions: tuple[HealthTransitioned, ...]


def tell(messages: list[Input], rules: RulePack | None = None) -> Told:
    """Fold a recording's messages."""
    state = initial(messages[0].cluster)
    slots: list[tuple[int, Status, Evidence]] = []
    transitions: list[HealthTransitioned] = []
    for message in messages:
        step = fold(state, message, rules or RulePack.default())
        state = step.state
        for new in step.events:
            event = new.decoded()
            if isinstance(event, SampleRecorded):
                slots.append((event.slot, event.verdict.status, event.verdict.evidence))
            elif isinstance(event, HealthTransitioned):
                transitions.append(event)
    return Told(tuple(slots), tuple(transitions))


def findings(truth: Truth, told: Told) -> Iterator[str]:
    """Everything the rules owed and did not give; nothing when all is well."""
    yield from _detection(truth, told)
    yield from _false_alarms(truth, told)
    yield from _sight(truth, told)
    yield from _recovery(truth, told)


def _first(told: Told, since: float, worst: Status) -> float | None:
    return next(
        (
            slot
            for slot, status, _ in told.slots
            if slot >= since - WINDOW_S and rank(status) >= rank(worst)
        ),
        None,
    )


def _detection(truth: Truth, told: Told) -> Iterator[str]:
    for begin, end, lasting, status, within in (
        *((a, b, 150, Status.CRITICAL, 120) for a, b in truth.blocked),
        *((a, b, 50, Status.STRESSED, 90) for a, b in truth.impaired),
    ):
        if end - begin < lasting:
            continue
        at = _first(told, begin, status)
        if at is None or at - begin > within:
            when = "never" if at is None else f"{at - begin:.0f} s"
            since = f"{begin - truth.begin:.0f} s"
            yield f"{truth.id}: {status} {when} after {since}; owed within {within} s"
    for t in told.transitions:
        if rank(t.to) > 0 and rank(t.to) > rank(t.from_) and not t.gates:
            yield f"{truth.id}: {t.from_} to {t.to} at {t.slot - truth.begin:.0f} s names no gate"


def _false_alarms(truth: Truth, told: Told) -> Iterator[str]:
    for slot, status, _ in told.slots:
        if status is Status.CRITICAL and not any(
            a - 60 <= slot <= b + 420 for a, b in truth.impaired
        ):
            yield f"{truth.id}: critical at {slot - truth.begin:.0f} s without impairment"
    if truth.cluster_fine:
        stressed = sum(status is Status.STRESSED for _, status, _ in told.slots) / len(told.slots)
        if stressed > 0.1:
            yield f"{truth.id}: stressed {stressed:.0%} of the time with nothing wrong"


def _sight(truth: Truth, told: Told) -> Iterator[str]:
    for begin, end in truth.all_lost:
        blind = [
            slot
            for slot, _, evidence in told.slots
            if begin <= slot <= end + 30 and evidence is Evidence.BLIND
        ]
        if not blind or blind[0] - begin > 60:
            yield f"{truth.id}: not blind within 60 s of losing all at {begin - truth.begin:.0f} s"
    for (_, before, _), (slot, after, evidence) in pairwise(told.slots):
        if evidence is Evidence.BLIND and rank(after) < rank(before):
            yield f"{truth.id}: {before} became {after} at {slot - truth.begin:.0f} s while blind"


def _recovery(truth: Truth, told: Told) -> Iterator[str]:
    for slot, status, _ in told.slots:
        if slot >= truth.last_trouble + 600 and status is not Status.HAPPY:
            yield f"{truth.id}: {status} at {slot - truth.begin:.0f} s, 10 min after trouble"
    happy = [
        t.slot for t in told.transitions if t.to is Status.HAPPY and t.from_ is not Status.UNKNOWN
    ]
    for first, second in pairwise(happy):
        if second - first < 600:
            yield f"{truth.id}: happy again twice within {second - first} s"
