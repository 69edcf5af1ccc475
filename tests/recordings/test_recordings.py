"""The recorded incidents of a real cluster are the judge of the rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from copilot_core.events import HealthTransitioned, Status
from copilot_core.fold import fold, initial
from copilot_core.health import rank
from copilot_core.quantities import NEEDED
from copilot_core.readings import Missing
from copilot_core.rules import RulePack, load_rules
from copilot_core.samples import Input, Sample, sample_of
from copilot_core.signals import PULSE_OF, SIGNAL_NAMES, Role
from copilot_streams.recording import open_recording
from tests.recordings.judge import Truth, findings, read_truth, tell

DATA = Path(__file__).parent.parent / "data" / "recordings"
RECORDINGS = sorted(p.name.removesuffix(".jsonl.gz") for p in DATA.glob("*.jsonl.gz"))


def _messages(name: str) -> list[Input]:
    with open_recording(DATA / f"{name}.jsonl.gz") as recording:
        return list(recording)


def _truth(name: str) -> Truth:
    return read_truth(DATA / f"{name}.truth.json", DATA / f"{name}.workload.csv")


def test_the_recordings_are_there() -> None:
    """Twenty-five recordings are judged; an empty folder would judge nothing."""
    assert len(RECORDINGS) == 25


@pytest.mark.parametrize("name", RECORDINGS)
def test_the_rules_say_what_the_clients_saw(name: str) -> None:
    """Loss of progress shows in time, nothing else is critical, recovery ends happy."""
    assert list(findings(_truth(name), tell(_messages(name)))) == []


def test_the_judge_finds_fault_with_a_rule_pack_that_sleeps() -> None:
    """With thresholds that never fire, the judge reports the missed stall: it can fail."""
    asleep = ("no-progress", "nothing-completes", "transitions-floor")
    rules = load_rules("".join(f"[gates.{gate}]\nall = 0\n" for gate in asleep))
    assert any(
        "critical never" in f
        for f in findings(
            _truth("o1-workers-stopped"), tell(_messages("o1-workers-stopped"), rules)
        )
    )


def _masked(message: Input, hidden: set[str], reason: Missing) -> Input:
    if not isinstance(message, Sample):
        return message
    values = {n: (reason if n in hidden else message[n]) for n in SIGNAL_NAMES}
    return sample_of(
        values,
        cluster=message.cluster,
        slot=message.slot,
        interval_s=message.interval_s,
        source=message.source,
    )


HIDINGS = {
    **{f"{role} silent": {PULSE_OF[role]} for role in (Role.FRONTEND, Role.HISTORY, Role.MATCHING)},
    "everything": set(SIGNAL_NAMES),
    **{f"{name} missing": {name} for name in NEEDED},
}


@pytest.mark.parametrize("name", RECORDINGS)
def test_hiding_any_part_of_a_recording_never_looks_better(name: str) -> None:
    """Each signal, role, or everything hidden for ten slots anywhere in the incident: never a
    better status with fresh evidence than the whole recording gave."""
    messages = [m for m in _messages(name) if isinstance(m, Sample)]
    whole = {slot: status for slot, status, _ in tell(list(messages)).slots}
    for what, hidden in HIDINGS.items():
        for first in range(1, len(messages), 7):
            seen = [
                _masked(m, hidden, Missing.NO_SERIES) if first <= n < first + 10 else m
                for n, m in enumerate(messages)
            ]
            for slot, status, evidence in tell(list(seen)).slots:
                assert rank(status) >= rank(whole[slot]) or evidence != "fresh", (what, first, slot)


def test_the_stall_is_explained_by_its_gates() -> None:
    """All workers stopped: critical names no-progress with the demand-based threshold it broke."""
    state, critical = initial("o1-workers-stopped"), []
    for message in _messages("o1-workers-stopped"):
        step = fold(state, message, RulePack.default())
        state = step.state
        critical += [
            e
            for n in step.events
            if isinstance(e := n.decoded(), HealthTransitioned) and e.to is Status.CRITICAL
        ]
    gate = next(g for g in critical[0].gates if g.id == "no-progress")
    assert gate.value == 0.0
    assert 0.5 < gate.threshold < 1.0
