"""Slots, gaps, late samples, deployments: what the fold does with time."""

from __future__ import annotations

import pytest

from copilot_core.errors import Defect, Rejected
from copilot_core.events import (
    Band,
    Evidence,
    NewEvent,
    SampleDropped,
    SampleRecorded,
    SightLost,
    Status,
)
from copilot_core.fold import ClusterState, Outcome, carry_of, evolve, fold, initial, restore_held
from copilot_core.gates import Scaling, next_band, next_bands
from copilot_core.readings import Missing
from copilot_core.rules import RulePack
from copilot_core.samples import DeploymentFact, Sample, all_missing
from tests.property.histories import CLUSTER, INTERVAL_S, START, Slot, folded, sample

RULES = RulePack.default()


def _slots(events: tuple[NewEvent, ...]) -> list[tuple[int, str]]:
    return [
        ((e.slot - START) // INTERVAL_S, e.source)
        for n in events
        if isinstance(e := n.decoded(), SampleRecorded)
    ]


def test_a_gap_is_held_open_for_one_slot() -> None:
    """Slot 2 waits for slot 1; when slot 1 comes, both are folded in order."""
    state, _, _ = folded([sample({}, 0)])
    waiting = fold(state, sample({}, 2), RULES)
    assert waiting.outcome is Outcome.HELD
    assert waiting.events == ()
    assert _slots(fold(waiting.state, sample({}, 1), RULES).events) == [
        (1, "prometheus"),
        (2, "prometheus"),
    ]


def test_a_slot_that_never_comes_counts_as_all_missing() -> None:
    """Slot 3 closes the gap: slot 1 is filled as unseen, then 2 and 3."""
    state, _, _ = folded([sample({}, 0), sample({}, 2)])
    assert _slots(fold(state, sample({}, 3), RULES).events) == [
        (1, "filled"),
        (2, "prometheus"),
        (3, "prometheus"),
    ]


def test_a_late_sample_is_dropped_on_the_record_once() -> None:
    """After its slot was filled, a sample is recorded as dropped; delivered again, it is a
    duplicate."""
    state, _, _ = folded([sample({}, 0), sample({}, 2), sample({}, 3)])
    late = fold(state, sample({}, 1), RULES)
    assert late.outcome is Outcome.LATE
    assert [type(e.decoded()) for e in late.events] == [SampleDropped]
    assert fold(late.state, sample({}, 1), RULES).outcome is Outcome.DUPLICATE


def test_the_watchdogs_sample_is_data_and_yields_to_nothing_later() -> None:
    """Silence put on the topic is folded as blind; the real sample of that slot comes too late."""
    state, _, _ = folded([sample({}, 0)])
    silence = all_missing(
        Missing.NO_SAMPLE,
        cluster=CLUSTER,
        slot=START + INTERVAL_S,
        interval_s=INTERVAL_S,
        source="watchdog",
    )
    step = fold(state, silence, RULES)
    assert step.state.evidence is Evidence.BLIND
    assert any(isinstance(e.decoded(), SightLost) for e in step.events)
    assert fold(step.state, sample({}, 1), RULES).outcome is Outcome.LATE


def test_a_long_gap_is_filled_only_as_far_as_it_matters() -> None:
    """A week without samples is ten filled slots, not twenty thousand."""
    state, _, _ = folded([sample({}, 0)])
    sources = [source for _, source in _slots(fold(state, sample({}, 20_160), RULES).events)]
    assert sources == ["filled"] * 10 + ["prometheus"]


def test_a_new_interval_starts_a_new_grid() -> None:
    """Changing the cadence is not a gap."""
    state, _, _ = folded([sample({}, 0)])
    faster = Sample(
        cluster=CLUSTER, slot=START + 40, interval_s=10, readings=sample({}, 1).readings
    )
    step = fold(state, faster, RULES)
    assert step.outcome is Outcome.FOLDED
    assert len([e for e in step.events if e.type == "SampleRecorded"]) == 1


def test_held_samples_travel_in_the_carry() -> None:
    """What waits is not in the log; the carry gives it back, and nothing held is an empty carry."""
    state, _, _ = folded([sample({}, 0), sample({}, 2)])
    assert restore_held(carry_of({CLUSTER: state})) == {CLUSTER: sample({}, 2)}
    assert carry_of({CLUSTER: initial(CLUSTER)}) == b""
    assert restore_held(b"") == {}


def test_a_message_about_another_cluster_is_refused() -> None:
    """States never mix."""
    with pytest.raises(Rejected, match="payments"):
        fold(initial("payments"), sample({}, 0), RULES)


def test_evolve_refuses_a_gap_in_the_log() -> None:
    """A skipped version is a broken log, never a guess."""
    _, events, _ = folded([sample({}, 0), sample({}, 1)])
    with pytest.raises(Defect):
        evolve(initial(CLUSTER), events[1])


@pytest.mark.parametrize("payload", [b"", b"{}", b'{"v":2,"signals":1}', b"[]", b"null"])
def test_a_snapshot_that_does_not_fit_is_refused(payload: bytes) -> None:
    """A snapshot of another version is refused; the log gives the state back."""
    with pytest.raises(Rejected):
        ClusterState.restore(payload)


def test_replicas_scale_stressed_thresholds_within_bounds() -> None:
    """Default over actual replicas, within a half and twice; no tightening while scaling up."""
    assert Scaling().factor(Band.STARTER) == 1.0
    assert Scaling(1).factor(Band.STARTER) == 2.0
    assert Scaling(100).factor(Band.STARTER) == 0.5
    assert Scaling(100, 2).factor(Band.STARTER) == 1.0
    assert Scaling(100, 1).factor(Band.STARTER) == 0.5
    assert Scaling(1, 5).factor(Band.STARTER) == 2.0


def test_a_deployment_fact_changes_what_counts_as_slow() -> None:
    """600 ms for ten slots is slow with two history replicas and bearable with one."""
    slow = [sample({"persistence_p99_ms": 600.0}, n) for n in range(10)]
    assert folded(slow)[0].seen.status is Status.STRESSED
    state = fold(
        initial(CLUSTER), DeploymentFact(cluster=CLUSTER, at=START, history_replicas=1), RULES
    ).state
    for s in slow:
        state = fold(state, s, RULES).state
    assert state.seen.status is Status.HAPPY
    again = fold(state, DeploymentFact(cluster=CLUSTER, at=START + 60, history_replicas=1), RULES)
    assert again.outcome is Outcome.DUPLICATE


def test_bands_have_hysteresis() -> None:
    """Up at 55 and 550, down below 45 and 450; an unseen rate could be anything."""
    assert next_band(Band.STARTER, 54.9) is Band.STARTER
    assert next_band(Band.STARTER, 55) is Band.MID
    assert next_band(Band.MID, 45) is Band.MID
    assert next_band(Band.MID, 44.9) is Band.STARTER
    assert next_band(Band.STARTER, 10_000) is Band.HIGH
    assert next_band(Band.HIGH, 0) is Band.STARTER
    assert next_bands((Band.MID, Band.MID), None) == (Band.STARTER, Band.HIGH)
    assert next_bands((Band.STARTER, Band.HIGH), 10.0) == (Band.STARTER, Band.STARTER)


def test_fewer_processes_of_a_role_make_evidence_partial() -> None:
    """One of two history processes gone: the readings stay, sums are marked as too low."""
    state, _, _ = folded([sample({}, 0), sample({}, 1)])
    step = fold(state, sample({"history_processes": 1.0}, 2), RULES)
    lost = next(e for n in step.events if isinstance(e := n.decoded(), SightLost))
    assert lost.evidence is Evidence.PARTIAL
    assert "fewer history processes" in lost.reason
    assert lost.missing == {}


def test_workers_do_not_lose_their_source_by_going_silent() -> None:
    """A scraper restarted while the workers are gone says "no source"; the log remembers better."""
    unsourced: Slot = {
        "worker_processes": Missing.NO_SOURCE,
        "steps_seen_by_workers_per_s": Missing.NO_SOURCE,
    }
    state, _, _ = folded([sample({}, 0), sample(unsourced, 1)])
    assert state.evidence is Evidence.PARTIAL


@pytest.mark.parametrize("reason", [Missing.NO_SERIES, Missing.SCRAPE_FAILED, Missing.TIMED_OUT])
def test_a_lost_pulse_is_a_loss_of_sight_whatever_the_status(reason: Missing) -> None:
    """Happy or stressed: without a pulse evidence is partial, and the reason names the role."""
    stall: Slot = {"closings_per_s": 0.0, "workflow_backlog_age_s": 30.0}
    for slot in ({}, stall):
        state, _, _ = folded([sample(slot, n) for n in range(2)])
        step = fold(state, sample({**slot, "history_processes": reason}, 2), RULES)
        lost = next(e for n in step.events if isinstance(e := n.decoded(), SightLost))
        assert lost.evidence is Evidence.PARTIAL
        assert "history" in lost.reason


def test_a_signal_without_a_source_is_no_loss() -> None:
    """NO_SOURCE keeps evidence fresh and happy within reach; a series that vanished does
    neither."""
    without, _, _ = folded([sample({"shards_moved_ratio": Missing.NO_SOURCE}, n) for n in range(3)])
    assert (without.seen.status, without.evidence) == (Status.HAPPY, Evidence.FRESH)
    vanished, _, _ = folded(
        [sample({"shards_moved_ratio": Missing.NO_SERIES}, n) for n in range(3)]
    )
    assert (vanished.seen.status, vanished.evidence) == (Status.UNKNOWN, Evidence.PARTIAL)


def test_workers_that_were_seen_and_went_silent_are_a_loss() -> None:
    """Worker metrics never seen are no loss; seen once and gone they are, for as long as they are
    gone."""
    never, _, _ = folded(
        [
            sample(
                {
                    "worker_processes": Missing.NO_SERIES,
                    "steps_seen_by_workers_per_s": Missing.NO_SERIES,
                },
                n,
            )
            for n in range(3)
        ]
    )
    assert never.evidence is Evidence.FRESH
    gone, _, _ = folded(
        [sample({}, 0)] + [sample({"worker_processes": Missing.NO_SERIES}, n) for n in range(1, 15)]
    )
    assert gone.evidence is Evidence.PARTIAL
    assert gone.seen.status is Status.HAPPY


def test_latency_alone_is_an_alarm_only_when_it_lasts() -> None:
    """Nine slow slots are no alarm, ten are; and then the status stays until none is slow."""
    slow: Slot = {"persistence_p99_ms": 900.0}
    nine, _, _ = folded([sample({}, 0)] + [sample(slow, n) for n in range(1, 10)])
    assert nine.seen.status is Status.HAPPY
    ten, _, _ = folded([sample({}, 0)] + [sample(slow, n) for n in range(1, 11)])
    assert ten.seen.status is Status.STRESSED
    flickering = fold(fold(ten, sample({}, 11), RULES).state, sample(slow, 12), RULES).state
    assert flickering.seen.status is Status.STRESSED
    assert flickering.seen.good_run == 0


def test_one_bad_slot_is_forgotten_after_two_clean_ones() -> None:
    """As many clean evaluations as bad ones, at least two, at most four; eight after critical."""
    bad: Slot = {"closings_per_s": 0.0, "steps_seen_by_frontend_per_s": 0.1, 
           "steps_seen_by_history_per_s": 0.1, "steps_seen_by_workers_per_s": 0.1}  # fmt: skip
    for bad_slots, clean_slots in ((1, 2), (2, 2), (3, 8)):
        history: list[Slot] = [{}, *[bad] * bad_slots, *[{}] * clean_slots]
        before, _, _ = folded([sample(slot, n) for n, slot in enumerate(history[:-1])])
        after, _, _ = folded([sample(slot, n) for n, slot in enumerate(history)])
        assert (before.seen.status, after.seen.status) == (Status.STRESSED, Status.HAPPY)
