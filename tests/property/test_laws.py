"""The laws of the health rules, as properties of the fold.

Each test names its law. A taste of 50 examples in every check, 1,000 in the whole test run, 10,000
each with `./dev laws`.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from copilot_core.events import (
    Digest,
    Evidence,
    HealthTransitioned,
    NewEvent,
    SampleRecorded,
    Status,
)
from copilot_core.fold import ClusterState, Outcome, carry_of, evolve, fold, initial, restore_held
from copilot_core.gates import Scaling, gate_state
from copilot_core.health import rank
from copilot_core.quantities import Sight, missing_needs, survey, without_silent_roles
from copilot_core.readings import Missing
from copilot_core.rules import CRITICAL_EVALUATIONS, RulePack
from copilot_core.samples import Sample, decode, encode, pack
from copilot_core.signals import SIGNAL_NAMES, SIGNALS, Group
from tests.property.histories import CLUSTER, Mask, Slot, folded, histories, masks, sample

RULES = RulePack.default()


def _verdicts(events: Sequence[NewEvent]) -> dict[int, SampleRecorded]:
    return {e.slot: e for new in events if isinstance(e := new.decoded(), SampleRecorded)}


def _transitions(events: Sequence[NewEvent]) -> list[HealthTransitioned]:
    return [e for new in events if isinstance(e := new.decoded(), HealthTransitioned)]


def _seen(history: Sequence[Slot], hidden: Sequence[Mask]) -> list[Sample]:
    out = []
    for n, slot in enumerate(history):
        visible = hidden[n].hide(slot) if n < len(hidden) else slot
        if visible is not None:
            out.append(sample(visible, n))
    return out


@given(histories(), st.lists(masks(), max_size=12))
def test_l1_state_is_the_fold_of_the_log_and_refolding_is_byte_identical(
    history: list[Slot], hidden: list[Mask]
) -> None:
    """L1: state = reduce(evolve, log); the same samples give the same bytes; a snapshot loses
    nothing."""
    samples = _seen(history, hidden)
    state, events, _ = folded(samples)
    rebuilt = reduce(evolve, events, initial(CLUSTER))
    assert rebuilt.snapshot() == state.snapshot()
    assert [e.payload for e in folded(samples)[1]] == [e.payload for e in events]
    assert ClusterState.restore(state.snapshot()).snapshot() == state.snapshot()


@given(histories(min_size=2), st.lists(masks(), max_size=12), st.integers(0, 12))
def test_l1_recovery_in_the_middle_changes_nothing(
    history: list[Slot], hidden: list[Mask], cut: int
) -> None:
    """L1: a writer that dies after any message and starts from log and carry goes on byte for
    byte."""
    samples = _seen(history, hidden)
    state, events, _ = folded(samples[:cut])
    recovered = reduce(evolve, events, initial(CLUSTER))
    held = restore_held(carry_of({CLUSTER: state})).get(CLUSTER)
    recovered = ClusterState.restore(recovered.snapshot())
    rest = list(events)
    for s in ([held] if held else []) + samples[cut:]:
        step = fold(recovered, s, RULES)
        recovered, rest = step.state, [*rest, *step.events]
    assert [e.payload for e in rest] == [e.payload for e in folded(samples)[1]]


@given(histories(min_size=2), st.data())
def test_l2_a_sample_twice_is_once(history: list[Slot], data: st.DataObject) -> None:
    """L2: any sample delivered again, at once or later, adds nothing to the log."""
    samples = [sample(slot, n) for n, slot in enumerate(history)]
    doubled = list(samples)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(samples) - 1))
        doubled.insert(
            data.draw(st.integers(doubled.index(samples[at]) + 1, len(doubled))), samples[at]
        )
    _, events, outcomes = folded(doubled)
    assert [e.payload for e in events] == [e.payload for e in folded(samples)[1]]
    assert outcomes.count(Outcome.DUPLICATE) == len(doubled) - len(samples)


@given(histories(min_size=2), st.data())
def test_l2_order_inside_the_bound_does_not_matter(
    history: list[Slot], data: st.DataObject
) -> None:
    """L2: swapping neighbours (never the very first sample) gives the same log."""
    samples = [sample(slot, n) for n, slot in enumerate(history)]
    swapped = list(samples)
    at = 1
    while at + 1 < len(swapped):
        if data.draw(st.booleans()):
            swapped[at], swapped[at + 1] = swapped[at + 1], swapped[at]
            at += 1
        at += 1
    assert [e.payload for e in folded(swapped)[1]] == [e.payload for e in folded(samples)[1]]


@given(histories(min_size=2), st.lists(masks(), min_size=1, max_size=12))
def test_l3_losing_sight_never_looks_better(history: list[Slot], hidden: list[Mask]) -> None:
    """L3: a status better than full sight would give appears only without fresh evidence."""
    # A history begins with its first sample: before it there is no status to look better than.
    whole: list[Slot] = [*history, {}]
    full = _verdicts(folded([sample(s, n) for n, s in enumerate(whole)])[1])
    masked = _verdicts(
        folded(_seen(whole, [replace(hidden[0], sample=False), *hidden[1 : len(history)]]))[1]
    )
    for slot, seen in masked.items():
        if slot in full and rank(seen.verdict.status) < rank(full[slot].verdict.status):
            assert seen.verdict.evidence is not Evidence.FRESH


@given(histories(min_size=2), st.lists(masks(), max_size=12))
def test_l3_better_only_with_full_sight(history: list[Slot], hidden: list[Mask]) -> None:
    """L3: the status gets better only at a slot where every needed reading is known."""
    former = Status.UNKNOWN
    for verdict in _verdicts(folded(_seen(history, hidden))[1]).values():
        status = verdict.verdict.status
        if rank(status) < rank(former):
            values = decode(
                encode(
                    Sample(
                        cluster=CLUSTER,
                        slot=verdict.slot,
                        interval_s=verdict.interval_s,
                        readings=verdict.readings,
                    )
                )
            )
            assert isinstance(values, Sample)
            readings, silent = without_silent_roles(values.readings)
            assert not missing_needs(Sight(readings, (), silent))
        former = status


@given(histories(), st.lists(masks(), max_size=12))
def test_l3_fresh_means_that_nothing_needed_is_missing(
    history: list[Slot], hidden: list[Mask]
) -> None:
    """L3: evidence is fresh only in a slot that lacks nothing; the worst is then what is shown."""
    for recorded in _verdicts(folded(_seen(history, hidden))[1]).values():
        if recorded.verdict.evidence is Evidence.FRESH:
            assert recorded.verdict.missing == ()
            assert recorded.verdict.worst is recorded.verdict.status


@given(histories(), st.integers(1, 15))
def test_l3_total_loss_holds_the_status_and_shows_blind_at_once(
    history: list[Slot], lost: int
) -> None:
    """L3: with nothing visible the status stays as it was and evidence is blind in the same
    slot."""
    state, _, _ = folded([sample(s, n) for n, s in enumerate(history)])
    for n in range(lost):
        gone: Slot = dict.fromkeys(SIGNAL_NAMES, Missing.SCRAPE_FAILED)
        after = fold(state, sample(gone, len(history) + n), RULES).state
        assert after.seen.status is state.seen.status
        assert after.evidence is Evidence.BLIND
        state = after


@given(histories(), st.lists(masks(), max_size=12))
def test_l4_happy_never_becomes_critical_directly(history: list[Slot], hidden: list[Mask]) -> None:
    """L4: every step into critical starts at stressed."""
    for t in _transitions(folded(_seen(history, hidden))[1]):
        assert t.to is not Status.CRITICAL or t.from_ is Status.STRESSED


@given(histories(), st.lists(masks(), max_size=12))
def test_l5_critical_needs_three_critical_evaluations(
    history: list[Slot], hidden: list[Mask]
) -> None:
    """L5: before critical, the last three evaluations that could be made each fired a critical
    gate."""
    critical = {g.id for g in RULES.gates if g.severity is Status.CRITICAL}
    run, former = 0, Status.UNKNOWN
    for verdict in _verdicts(folded(_seen(history, hidden))[1]).values():
        fired = bool(critical & set(verdict.verdict.fired))
        run = run + 1 if fired else run if verdict.verdict.missing else 0
        if verdict.verdict.status is Status.CRITICAL and former is not Status.CRITICAL:
            assert fired
            assert run >= CRITICAL_EVALUATIONS
        former = verdict.verdict.status


@given(st.integers(60, 3000))
def test_l5_a_band_change_does_not_reset_the_count(rate: int) -> None:
    """L5: a stall is critical after three evaluations even when the band changes within them."""
    stall = {
        "starts_accepted_per_s": 1000.0,
        "steps_seen_by_frontend_per_s": 0.0,
        "steps_seen_by_history_per_s": 0.0,
        "steps_seen_by_workers_per_s": 0.0,
    }
    state, _, _ = folded(
        [sample({**stall, "transitions_per_s": float(r)}, n) for n, r in enumerate((20, rate, 20))]
    )
    assert state.seen.status is Status.CRITICAL


@given(histories(), st.lists(masks(), max_size=12))
def test_l6_leaving_critical_needs_the_margin(history: list[Slot], hidden: list[Mask]) -> None:
    """L6: in the slot that leaves critical, no critical gate fires even at its harder threshold."""
    state = initial(CLUSTER)
    for s in _seen(history, hidden):
        step = fold(state, s, RULES)
        left = (
            state.seen.status is Status.CRITICAL and step.state.seen.status is not Status.CRITICAL
        )
        if left and len(_verdicts(step.events)) == 1:
            readings, silent = without_silent_roles(s.readings)
            quantities = survey(Sight(readings, state.window, silent))
            for gate in RULES.gates:
                if gate.severity is Status.CRITICAL:
                    seen, _ = gate_state(
                        gate, step.state.band, quantities, scaling=Scaling(), recovering=True
                    )
                    assert not seen, gate.id
        state = step.state


@given(histories(), st.lists(masks(), max_size=12))
def test_l7_every_transition_gives_its_reasons(history: list[Slot], hidden: list[Mask]) -> None:
    """L7: gates with value, threshold and margin, the rules' digest, evidence and a
    counterfactual."""
    for t in _transitions(folded(_seen(history, hidden))[1]):
        assert t.gates
        assert all(
            abs(g.margin - (g.value - g.threshold))
            <= 1e-5 * max(1.0, abs(g.value), abs(g.threshold))
            for g in t.gates
        )
        assert t.rules_digest == RULES.digest
        stayed = f"would have stayed {t.from_}"
        assert t.counterfactual.startswith("would have begun" if t.from_ == "unknown" else stayed)
        assert any(f"{g.threshold:g}" in t.counterfactual for g in t.gates)


@given(histories(), st.lists(masks(), max_size=12))
def test_l7_the_counterfactual_is_true_for_a_single_gate(
    history: list[Slot], hidden: list[Mask]
) -> None:
    """L7: where one gate made it worse, moving its value to the other side would have kept the
    status."""
    for t in _transitions(folded(_seen(history, hidden))[1]):
        if rank(t.to) > rank(t.from_) and len(t.gates) == 1:
            gate = t.gates[0]
            assert (
                gate.value < gate.threshold
                if gate.comparison == "<"
                else gate.value >= gate.threshold
            )


IDLE: Slot = {
    **dict.fromkeys(
        (
            "starts_attempted_per_s",
            "starts_accepted_per_s",
            "steps_seen_by_frontend_per_s",
            "steps_seen_by_history_per_s",
            "steps_seen_by_workers_per_s",
            "transitions_per_s",
            "mutations_per_s",
            "completions_per_s",
            "closings_per_s",
            "active_tasks_acked_per_s",
            "history_tasks_acked_per_s",
            "due_tasks_loaded_per_s",
            "due_tasks_acked_per_s",
        ),
        0.0,
    ),
    **dict.fromkeys(
        ("transition_p95_ms", "transition_p99_ms", "completion_ratio", "history_backlog_age_s"),
        Missing.NOT_A_NUMBER,
    ),
}


@given(st.integers(5, 20), st.lists(masks(), max_size=5))
def test_l8_idle_is_not_broken(idle: int, hidden: list[Mask]) -> None:
    """L8: no demand, no backlog, no errors, all known: happy, whatever came before was hidden."""
    state, events, _ = folded(_seen([IDLE] * (idle + len(hidden)), hidden))
    assert state.seen.status is Status.HAPPY
    assert all(t.to is Status.HAPPY for t in _transitions(events))


@given(
    st.sampled_from(LOSS_REASONS := (Missing.NO_SERIES, Missing.SCRAPE_FAILED)), st.integers(1, 20)
)
def test_l8_unknown_demand_is_not_idle(reason: Missing, count: int) -> None:
    """L8: an idle cluster whose demand is not seen is never called happy."""
    unseen = {**IDLE, "starts_attempted_per_s": reason, "starts_accepted_per_s": reason}
    state, _, _ = folded([sample(unseen, n) for n in range(count)])
    assert state.seen.status is not Status.HAPPY


@given(histories(), st.lists(masks(), max_size=12), st.randoms(use_true_random=False))
def test_l9_what_explains_never_decides(
    history: list[Slot], hidden: list[Mask], rng: random.Random
) -> None:
    """L9: amplifiers and the workers' own signals may read anything; the status stays the same."""
    explaining = [s.name for s in SIGNALS if s.group in (Group.AMPLIFIER, Group.WORKER)]
    noisy = [
        {**slot, **{n: rng.choice((0.0, 1.0, 1e9, Missing.NO_SERIES)) for n in explaining}}
        for slot in history
    ]
    plain, other = (_verdicts(folded(_seen(h, hidden))[1]) for h in (history, noisy))
    assert {s: v.verdict.status for s, v in plain.items()} == {
        s: v.verdict.status for s, v in other.items()
    }


@given(histories(), histories(), st.data())
def test_l10_partitions_do_not_matter(
    first: list[Slot], second: list[Slot], data: st.DataObject
) -> None:
    """L10: two clusters on one partition in any interleaving, or on two, give one digest."""
    a = [sample(s, n) for n, s in enumerate(first)]
    b = [sample(s, n).model_copy(update={"cluster": "payments"}) for n, s in enumerate(second)]
    apart, together = Digest(), Digest()
    for samples in (b, a):
        state = initial(samples[0].cluster)
        for s in samples:
            step = fold(state, s, RULES)
            state = step.state
            apart.add_all(step.events)
    states, left, right = (
        {"orders": initial("orders"), "payments": initial("payments")},
        list(a),
        list(b),
    )
    while left or right:
        queue = left if left and (not right or data.draw(st.booleans())) else right
        s = queue.pop(0)
        step = fold(states[s.cluster], s, RULES)
        states[s.cluster] = step.state
        together.add_all(step.events)
    assert apart.hexdigest() == together.hexdigest()


@given(histories(max_size=4))
def test_samples_survive_the_wire(history: list[Slot]) -> None:
    """A sample read back from its bytes is the sample, and its bytes are the same again."""
    for n, slot in enumerate(history):
        s = sample(slot, n)
        assert decode(encode(s), key=CLUSTER.encode()) == s
        assert encode(decode(encode(s))) == encode(s)
        again = decode(encode(s))
        assert isinstance(again, Sample)
        assert pack(again.readings) == pack(s.readings)
