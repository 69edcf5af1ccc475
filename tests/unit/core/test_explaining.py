"""What stands beside the status: services, bottleneck, worker rules, trends, log surges."""

from __future__ import annotations

import pytest
from hypothesis import given

from copilot_core.bottleneck import (
    ADVICE,
    Bottleneck,
    WorkerRule,
    judge,
    long_running,
    worker_rules,
)
from copilot_core.events import Band, LogPatternSurged, SampleRecorded
from copilot_core.fold import fold, initial
from copilot_core.gates import Scaling, evaluate
from copilot_core.quantities import Sight, survey, without_silent_roles
from copilot_core.readings import Missing
from copilot_core.rules import RulePack
from copilot_core.samples import LogSample
from copilot_core.services import assess
from copilot_core.trends import trend
from tests.property.histories import CLUSTER, START, Slot, folded, histories, sample, whole

RULES = RulePack.default()


def _sight(slot: Slot) -> Sight:
    readings, silent = without_silent_roles(tuple(whole(slot).values()))
    return Sight(readings, (), silent)


def _fired(sight: Sight) -> tuple[str, ...]:
    return evaluate(
        RULES,
        survey(sight),
        band=Band.STARTER,
        bands=(Band.STARTER, Band.STARTER),
        scaling=Scaling(),
        gate_runs={g.id: (g.for_slots, g.for_slots) for g in RULES.gates},
        recovering=False,
    ).fired


@pytest.mark.parametrize(
    ("slot", "limit"),
    [
        ({}, Bottleneck.NOBODY),
        ({"persistence_p99_ms": 900.0}, Bottleneck.SERVER),
        ({"activity_slots_free": 0.0}, Bottleneck.WORKER),
        (
            {"worker_processes": Missing.NO_SERIES, "workflow_backlog_age_s": 90.0},
            Bottleneck.WORKER,
        ),
        ({"persistence_p99_ms": 900.0, "activity_slots_free": 0.0}, Bottleneck.MIXED),
        (
            {
                "persistence_error_ratio": 0.9,
                "persistence_errors_per_s": 9.0,
                "activity_slots_free": 0.0,
            },
            Bottleneck.SERVER,
        ),
        ({"matching_processes": Missing.NO_SERIES, "activity_slots_free": 0.0}, Bottleneck.UNKNOWN),
    ],
)
def test_the_bottleneck_names_who_limits(slot: Slot, limit: Bottleneck) -> None:
    """Server signs, worker signs, both, none, or sight too poor; workers are not judged behind a
    broken server."""
    sight = _sight(slot)
    found = judge(RULES, sight, _fired(sight), blind=False)
    assert found.bottleneck is limit
    assert bool(found.reasons) == (limit is not Bottleneck.NOBODY)


def test_a_blind_slot_has_no_known_bottleneck() -> None:
    """Without any pulse nobody is blamed."""
    assert judge(RULES, _sight({}), (), blind=True).bottleneck is Bottleneck.UNKNOWN


@given(histories(max_size=2))
def test_services_agree_with_the_gates(history: list[Slot]) -> None:
    """A service is blocked or degraded exactly when a gate of its own fires: no second set of
    thresholds."""
    for slot in history:
        sight = _sight(slot)
        fired = _fired(sight)
        rows = {g.id: g for g in RULES.gates}
        for health in assess(
            RULES, survey(sight), sight, fired, band=Band.STARTER, scaling=Scaling()
        ):
            own = [rows[i] for i in fired if rows[i].service == health.service]
            if health.progress == "unseen":
                continue
            assert (health.progress == "blocked") == any(g.severity == "critical" for g in own)
            assert (health.pressure == "high") == any(g.pressure for g in own)


def test_a_service_without_a_pulse_is_unseen() -> None:
    """Nothing is claimed about a role that does not report."""
    sight = _sight({"matching_processes": Missing.NO_SERIES})
    by_name = {
        h.service: h
        for h in assess(RULES, survey(sight), sight, (), band=Band.STARTER, scaling=Scaling())
    }
    assert (by_name["matching"].progress, by_name["matching"].pressure) == ("unseen", "unknown")
    assert by_name["history"].progress == "ok"


@pytest.mark.parametrize(
    ("slot", "before", "cached_long", "rule"),
    [
        ({"workflow_slots_free": 0.0}, 2.0, False, WorkerRule.NEVER_SCALE_DOWN_AT_ZERO),
        ({"worker_processes": 3.0}, 2.0, True, WorkerRule.STICKY_QUEUE_WARNING),
        ({"sticky_cache_hit_ratio": 0.4}, 2.0, False, WorkerRule.RESTART_TO_REDISTRIBUTE),
        ({"worker_processes": 4.0}, 2.0, True, WorkerRule.RESTART_TO_REDISTRIBUTE),
        ({"pollers_exceed_slots": 1.0}, None, False, WorkerRule.POLLER_EXECUTOR_MISMATCH),
    ],
)
def test_worker_rules_apply_when_their_fact_holds(
    slot: Slot, before: float | None, cached_long: bool, rule: WorkerRule
) -> None:
    """Each rule has its fact and its words; a healthy fleet that does not grow has none."""
    rules = worker_rules(_sight(slot), workers_before=before, long_running=cached_long)
    assert rule in rules
    assert ADVICE[rule]
    assert worker_rules(_sight({}), workers_before=2.0, long_running=True) == ()


def test_work_is_long_running_when_it_stays_cached_for_a_minute() -> None:
    """120 cached runs at 2 closings a second live for a minute each; 119 do not; unseen is not
    long."""
    assert long_running(_sight({"sticky_cache_size": 120.0, "closings_per_s": 2.0}))
    assert not long_running(_sight({"sticky_cache_size": 119.0, "closings_per_s": 2.0}))
    assert not long_running(_sight({"sticky_cache_size": Missing.NO_SERIES}))


def test_the_verdict_tells_trends_and_advice() -> None:
    """Ten slots of which the later are slower, with full slots at the end: both are in the
    verdict."""
    history: list[Slot] = [{"persistence_p99_ms": 60.0 + 40 * (n > 5)} for n in range(10)]
    history[-1]["activity_slots_free"] = 0.0
    verdicts = [
        e.verdict
        for new in folded([sample(s, n) for n, s in enumerate(history)])[1]
        if isinstance(e := new.decoded(), SampleRecorded)
    ]
    assert verdicts[-1].trends == {"persistence_p99_ms": "worsening"}
    assert verdicts[-1].advice == ("NEVER_SCALE_DOWN_AT_ZERO",)
    assert verdicts[0].trends == {}


def test_a_trend_needs_four_known_points() -> None:
    """Three points and seven missing ones are no trend."""
    found = trend(
        "transitions_per_s", [1.0, 2.0, 3.0] + [Missing.NO_SERIES] * 7, more_is_better=True
    )
    assert (found.direction, found.sufficient) == ("stable", False)


@pytest.mark.parametrize(
    ("points", "more_is_better", "direction"),
    [
        ([10, 10, 5, 5], True, "worsening"),
        ([10, 10, 5, 5], False, "improving"),
        ([10, 10, 10.9, 10.9], True, "stable"),
        ([0, 0, 1, 1], False, "worsening"),
        ([0, 0, 0, 0], False, "stable"),
    ],
)
def test_a_trend_compares_halves_beyond_ten_percent(
    points: list[float], more_is_better: bool, direction: str
) -> None:
    """Falling from 10 to 5 is worse where more is better; 9 % is stable."""
    assert trend("x", points, more_is_better=more_is_better).direction == direction


def _logs(counts: dict[str, dict[str, int]] | None, n: int) -> LogSample:
    missing = Missing.SCRAPE_FAILED if counts is None else None
    return LogSample(
        cluster=CLUSTER, slot=START + 30 * n, interval_s=30, counts=counts, missing=missing
    )


def test_a_log_surge_is_told_once_there_is_something_usual() -> None:
    """Five usual lines and then sixty is a surge; sixty in the first slot is not."""
    state, surges = initial(CLUSTER), []
    for n, count in enumerate([5, 5, 5, 5, 60]):
        step = fold(state, _logs({"history": {"deadline-exceeded": count}}, n), RULES)
        state = step.state
        surges += [e for new in step.events if isinstance(e := new.decoded(), LogPatternSurged)]
    assert [(s.pattern, s.count) for s in surges] == [("deadline-exceeded", 60)]
    first = fold(initial(CLUSTER), _logs({"history": {"deadline-exceeded": 60}}, 0), RULES)
    assert [e.type for e in first.events] == ["LogSampleRecorded"]


def test_unread_logs_teach_nothing() -> None:
    """A log backend that does not answer leaves the usual counts as they were."""
    state = fold(initial(CLUSTER), _logs({"history": {"deadline-exceeded": 7}}, 0), RULES).state
    after = fold(state, _logs(None, 1), RULES).state
    assert after.usual_logs == state.usual_logs


def test_logs_and_samples_do_not_touch_each_other() -> None:
    """Log counts go to a stream of their own: the health stream's versions and ids stay as without
    them."""
    plain = fold(initial(CLUSTER), sample({}, 0), RULES)
    mixed = fold(fold(initial(CLUSTER), _logs({}, 0), RULES).state, sample({}, 0), RULES)
    assert [e.payload for e in plain.events] == [e.payload for e in mixed.events]
    assert [e.event_id for e in plain.events] == [e.event_id for e in mixed.events]
