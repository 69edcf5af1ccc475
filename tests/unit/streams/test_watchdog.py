"""Which slots are overdue, by a clock that moves when told."""

from __future__ import annotations

from dataclasses import replace

from whenever import Instant

from copilot_core.fold import ClusterState, fold, initial
from copilot_core.readings import Missing
from copilot_core.rules import RulePack
from copilot_streams.watchdog import Watchdog
from tests.unit.streams.shard_inputs import FIRST_SLOT, INTERVAL_S, sample

BEGIN = Instant.from_timestamp(FIRST_SLOT)


def at(seconds: float) -> Instant:
    """An instant so many seconds after the first slot's begin."""
    return BEGIN.add(seconds=seconds)


def state_after(*numbers: int) -> dict[str, ClusterState]:
    """The states of a shard whose one cluster sent these slots."""
    state = initial("emea")
    for number in numbers:
        state = fold(state, sample("emea", number), RulePack.default()).state
    return {"emea": state}


def slots(watchdog: Watchdog, states: dict[str, ClusterState], now: Instant) -> list[int]:
    """The numbers of the slots found overdue."""
    return [
        (s.slot - FIRST_SLOT) // INTERVAL_S
        for s in watchdog.overdue(states, now, mine=lambda _: True)
    ]


def test_a_slot_is_overdue_after_its_interval_and_the_lateness() -> None:
    """Slot 1 begins at 30 s, ends at 60 s and may be 15 s late: overdue at 75 s, once."""
    watchdog = Watchdog(since=BEGIN, lateness_s=15)
    states = state_after(0)
    assert slots(watchdog, states, at(74)) == []
    assert slots(watchdog, states, at(75)) == [1]
    assert slots(watchdog, states, at(80)) == []


def test_the_sample_says_that_none_came() -> None:
    """Every reading is missing for the reason `no sample`, and the source is the watchdog."""
    (silent,) = Watchdog(since=BEGIN, lateness_s=15).overdue(
        state_after(0), at(75), mine=lambda _: True
    )
    assert set(silent.readings) == {Missing.NO_SAMPLE}
    assert silent.source == "watchdog"


def test_while_samples_come_nothing_is_overdue() -> None:
    """A cluster that reports in time never gets a silent slot."""
    watchdog = Watchdog(since=BEGIN, lateness_s=15)
    for number in range(1, 20):
        numbers = range(number)
        assert slots(watchdog, state_after(*numbers), at(number * INTERVAL_S + 10)) == []


def test_a_long_outage_of_our_own_costs_one_slot() -> None:
    """A day without this process: the newest overdue slot only."""
    watchdog = Watchdog(since=BEGIN, lateness_s=15)
    assert slots(watchdog, state_after(0), at(86_400)) == [2878]


def test_silence_gives_one_slot_per_interval() -> None:
    """While a cluster stays silent each slot is filled once, when it is due."""
    watchdog = Watchdog(since=BEGIN, lateness_s=15)
    states = state_after(0)
    found = [n for second in range(1, 200) for n in slots(watchdog, states, at(second))]
    assert found == [1, 2, 3, 4, 5]


def test_a_held_sample_counts_as_seen() -> None:
    """Slot 2 is held for slot 1: the fold settles that with the next sample, no filling is due."""
    states = state_after(0, 2)
    assert states["emea"].held is not None
    assert slots(Watchdog(since=BEGIN, lateness_s=15), states, at(100)) == []


def test_a_listed_cluster_that_never_reported_is_watched_from_the_start() -> None:
    """The clusters file says that it should report; its first whole slot can be overdue."""
    watchdog = Watchdog(since=at(10), lateness_s=15, expected={"mute": 30})
    assert slots(watchdog, {}, at(74)) == []
    assert slots(watchdog, {}, at(75)) == [1]


def test_a_cluster_that_is_not_listed_is_not_watched() -> None:
    """Taking a cluster out of the clusters file ends the watch over it."""
    watchdog = Watchdog(since=BEGIN, lateness_s=15, expected={"apac": 30})
    silent = watchdog.overdue(state_after(0), at(1000), mine=lambda _: True)
    assert {sample.cluster for sample in silent} == {"apac"}


def test_a_cluster_of_another_shard_is_left_to_its_owner() -> None:
    """Only the owner of the partition that a cluster's samples come by fills its slots."""
    watchdog = Watchdog(since=BEGIN, lateness_s=15)
    assert watchdog.overdue(state_after(0), at(1000), mine=lambda _: False) == []


def test_after_a_restart_the_log_says_what_was_filled() -> None:
    """A new watchdog over the state that folded the silent slot does not fill it again."""
    states = state_after(0)
    (silent,) = Watchdog(since=BEGIN, lateness_s=15).overdue(states, at(75), mine=lambda _: True)
    folded = fold(states["emea"], silent, RulePack.default()).state
    assert slots(Watchdog(since=at(76), lateness_s=15), {"emea": folded}, at(76)) == []


def test_a_change_of_cadence_is_followed() -> None:
    """The interval that counts is that of the last folded sample."""
    states = state_after(0)
    states["emea"] = replace(states["emea"], interval_s=60)
    (silent,) = Watchdog(since=BEGIN, lateness_s=15).overdue(states, at(200), mine=lambda _: True)
    assert silent.interval_s == 60
    assert silent.slot % 60 == 0
