"""Laws of the budget, for every ledger: not overdrawn, nothing twice, one call per evidence."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copilot_core.budget import (
    DAY_S,
    Amount,
    Granted,
    LedgerEvent,
    Limits,
    Outcome,
    Refusal,
    Refused,
    amount_of,
    counted,
    decide,
    entries,
    settle,
    unknown_use,
)
from copilot_core.errors import Defect
from copilot_core.events import ModelCallReserved, ModelCallSettled

MORNING = 1_795_392_000
"""Midnight UTC."""
LIMITS = Limits(incident=Amount(12, 3_000, 900), day=Amount(20, 5_000, 1_500))

amounts = st.builds(
    Amount,
    requests=st.integers(1, 6),
    tokens=st.integers(0, 1_200),
    cost_micro_usd=st.integers(0, 400),
)
wishes = st.builds(
    ModelCallReserved,
    at=st.integers(MORNING, MORNING + 2 * DAY_S),
    call=st.sampled_from([f"call-{n}" for n in range(12)]),
    incident=st.sampled_from([MORNING - 600, MORNING + 3_000, MORNING + DAY_S]),
    signature=st.sampled_from([letter * 64 for letter in "abcdef"]),
    model=st.just("test"),
    requests=st.integers(1, 6),
    tokens=st.integers(0, 1_200),
    cost_micro_usd=st.integers(0, 400),
)
shares = st.tuples(st.sampled_from(list(Outcome)), st.integers(0, 100))
steps = st.lists(st.tuples(wishes, st.none() | shares), max_size=40)


def settled(call: ModelCallReserved, outcome: Outcome, share: int) -> ModelCallSettled:
    """A settlement that used some percent of what was reserved."""
    tokens = call.tokens * share // 100
    return ModelCallSettled(
        at=call.at + 20,
        call=call.call,
        outcome=outcome,
        requests=call.requests * share // 100,
        input_tokens=tokens // 3,
        output_tokens=tokens - tokens // 3,
        cost_micro_usd=call.cost_micro_usd * share // 100,
    )


def ledger_of(
    todo: list[tuple[ModelCallReserved, tuple[Outcome, int] | None]],
) -> list[LedgerEvent]:
    """The ledger that comes of asking for each call in turn and settling some of them."""
    events: list[LedgerEvent] = []
    for wish, end in todo:
        decision = decide(events, wish, limits=LIMITS)
        if isinstance(decision, Granted):
            if decision.fresh:
                events.append(decision.call)
            if end is not None and (event := settle(events, settled(decision.call, *end))):
                events.append(event)
    return events


@given(steps)
def test_no_account_is_overdrawn(todo: list[tuple[ModelCallReserved, tuple[Outcome, int] | None]]):
    """Whatever is asked in whatever order, no incident and no day counts more than its limit."""
    ledger = entries(ledger_of(todo))
    calls = [entry.reserved for entry in ledger.values()]
    for incident in {c.incident for c in calls}:
        _within(counted(ledger, lambda c, i=incident: c.incident == i), LIMITS.incident)
    for day in {c.at // DAY_S for c in calls}:
        _within(counted(ledger, lambda c, d=day: c.at // DAY_S == d), LIMITS.day)


def _within(used: Amount, limit: Amount) -> None:
    assert used.requests <= limit.requests
    assert used.tokens <= limit.tokens
    assert used.cost_micro_usd <= limit.cost_micro_usd


@given(steps)
def test_one_call_per_evidence(todo: list[tuple[ModelCallReserved, tuple[Outcome, int] | None]]):
    """Of all calls that a model may have seen, no two are about one evidence of one incident."""
    made = [
        (e.reserved.incident, e.reserved.signature)
        for e in entries(ledger_of(todo)).values()
        if e.made
    ]
    assert len(made) == len(set(made))


@given(steps, wishes)
def test_a_retry_counts_once(
    todo: list[tuple[ModelCallReserved, tuple[Outcome, int] | None]], wish: ModelCallReserved
):
    """Asking again, even later and for more, finds the reservation and changes nothing."""
    events = ledger_of(todo)
    first = decide(events, wish, limits=LIMITS)
    if not isinstance(first, Granted):
        return
    events = [*events, first.call] if first.fresh else events
    later = wish.model_copy(update={"at": wish.at + 3_600, "tokens": 10**9})
    assert decide(events, later, limits=LIMITS) == Granted(first.call, fresh=False)


@given(steps)
def test_events_told_twice_count_once(
    todo: list[tuple[ModelCallReserved, tuple[Outcome, int] | None]],
):
    """A ledger in which every event stands twice amounts to the same."""
    events = ledger_of(todo)
    assert entries([e for event in events for e in (event, event)]) == entries(events)
    assert entries([*events, *events]) == entries(events)


@given(steps, wishes)
def test_larger_limits_grant_no_less(
    todo: list[tuple[ModelCallReserved, tuple[Outcome, int] | None]], wish: ModelCallReserved
):
    """What was granted is granted with higher limits, too."""
    events = ledger_of(todo)
    more = Limits(LIMITS.incident + Amount(1, 1, 1), replace(LIMITS.day, tokens=10**9))
    if isinstance(decision := decide(events, wish, limits=LIMITS), Granted):
        assert decide(events, wish, limits=more) == decision


@given(steps, wishes)
def test_a_refusal_tells_the_figures(
    todo: list[tuple[ModelCallReserved, tuple[Outcome, int] | None]], wish: ModelCallReserved
):
    """A refusal for a limit shows that what counts and what is asked exceed it."""
    decision = decide(ledger_of(todo), wish, limits=LIMITS)
    if isinstance(decision, Refused) and decision.why not in (
        Refusal.ALREADY_MADE,
        Refusal.SAME_EVIDENCE,
    ):
        assert decision.counted <= decision.limit < decision.counted + decision.asked
        assert "limit" in decision.text


@given(wishes, st.integers(0, 100))
def test_a_settled_call_is_not_made_again(wish: ModelCallReserved, share: int):
    """Whatever became of a call, it is not granted a second time."""
    for outcome in Outcome:
        events = [wish, settled(wish, outcome, share)]
        assert decide(events, wish, limits=LIMITS) == Refused(Refusal.ALREADY_MADE)


@given(wishes)
def test_unknown_use_counts_as_all_of_it(wish: ModelCallReserved):
    """A call that failed without telling what it used keeps what it reserved."""
    ledger = entries([wish, unknown_use(wish, at=wish.at + 30)])
    assert ledger[wish.call].counts == amount_of(wish)
    assert settle([wish, unknown_use(wish, at=wish.at)], unknown_use(wish, at=wish.at)) is None


@given(wishes)
def test_an_abandoned_call_frees_its_evidence(wish: ModelCallReserved):
    """A call without a request costs nothing, and another may ask about the same evidence."""
    events = [wish, settled(wish, Outcome.ABANDONED, 100)]
    other = wish.model_copy(update={"call": "another"})
    assert decide(events, other, limits=LIMITS) == decide([], other, limits=LIMITS)


def test_a_settlement_needs_a_reservation():
    """Settling what was never reserved is our own mistake."""
    call = ModelCallSettled(
        at=1, call="x", outcome="failed", requests=0, input_tokens=0, output_tokens=0,
        cost_micro_usd=0,
    )  # fmt: skip
    with pytest.raises(Defect):
        settle([], call)


def test_money_is_told_in_dollars():
    """A limit of money reads as dollars and cents."""
    refused = Refused(Refusal.DAY_MONEY, limit=20_000_000, counted=19_990_000, asked=450_000)
    assert refused.text == (
        "the limit of 20.00 USD per day would be exceeded: 19.99 USD used or reserved,"
        " this call may need 0.45 USD"
    )
