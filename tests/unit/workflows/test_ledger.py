"""The ledger in the log: reserving and settling twice is doing it once, also for two at a time."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from copilot_core.budget import Amount, Granted, Limits, Refusal, Refused, entries
from copilot_core.errors import Defect
from copilot_core.events import ModelCallReserved, ModelCallSettled, new_event
from copilot_eventlog.direct import DirectShard, DirectWriter
from copilot_eventlog.memory import MemoryLog
from copilot_workflows.agents.prices import Price
from copilot_workflows.agents.requests import Answer, CallWish, Composed, Reason, Used
from copilot_workflows.ledger import PAGE, Ledger, settlement

NOON = 1_795_435_200
PRICES = {"cheap": Price(input=Decimal(1), output=Decimal(2))}
ANSWER = Answer.model_validate({"headline": {"text": "x"}})
WIDE = Limits(Amount(10**6, 10**9, 10**12), Amount(10**6, 10**9, 10**12))


def wish(call: str, *, signature: str = "a", at: int = NOON, incident: int = NOON - 60) -> CallWish:
    return CallWish(
        cluster="orders",
        call=call,
        at=at,
        incident=incident,
        signature=signature[0] * 63 + format(len(call) % 16, "x"),
        model="cheap",
        requests=4,
        tokens=1_000,
        cost_micro_usd=2_000,
    )


def ledger_of(log: MemoryLog, limits: Limits = WIDE, *, writer: str = "test") -> Ledger:
    return Ledger(log, DirectWriter(log, DirectShard.LEDGER, writer=writer), limits)


async def recorded(log: MemoryLog) -> list[ModelCallReserved | ModelCallSettled]:
    events = [e.decoded() for e in await log.read_stream("ledger/orders", limit=100_000)]
    return [e for e in events if isinstance(e, ModelCallReserved | ModelCallSettled)]


def composed(*, answer: Answer | None, certain: bool = True, used: tuple[Used, ...]) -> Composed:
    return Composed(
        answer=answer,
        reason=None if answer else Reason.TIMEOUT,
        used=used,
        certain=certain,
        model="cheap",
        prompt_version="p",
    )


USED = (Used(model="cheap", requests=2, input_tokens=300, output_tokens=50),)


async def test_reserving_twice_is_reserving_once():
    """A retry finds its own reservation and writes nothing."""
    log = MemoryLog()
    first = await ledger_of(log).reserve(wish("w1"))
    again = await ledger_of(log, writer="another").reserve(wish("w1", at=NOON + 3_600))
    assert isinstance(first, Granted)
    assert isinstance(again, Granted)
    assert (first.fresh, again.fresh) == (True, False)
    assert again.call == first.call
    assert len(await recorded(log)) == 1


async def test_settling_twice_is_settling_once():
    """A retry of a settlement leaves the first one alone."""
    log = MemoryLog()
    ledger = ledger_of(log)
    granted = await ledger.reserve(wish("w1"))
    assert isinstance(granted, Granted)
    for tokens in (50, 900):
        used = (Used(model="cheap", requests=2, input_tokens=tokens, output_tokens=0),)
        told = settlement(
            granted.call, composed(answer=ANSWER, used=used), at=NOON + 9, prices=PRICES
        )
        await ledger.settle("orders", told, reserved_at=granted.call.at)
    assert entries(await recorded(log))["w1"].counts == Amount(2, 50, 50)
    assert await ledger.reserve(wish("w1")) == Refused(Refusal.ALREADY_MADE)


async def test_two_at_once_do_not_overdraw():
    """Many workflows that want the last of a budget get no more than there is."""
    log = MemoryLog()
    limits = Limits(Amount(10**6, 10**9, 10**12), Amount(10, 10**9, 10**12))
    ledgers = [ledger_of(log, limits, writer=f"w{n}") for n in range(3)]
    calls = [wish("x" * n, signature="abcdef"[n % 6], incident=NOON - n) for n in range(1, 7)]
    decisions = await asyncio.gather(
        *(ledgers[n % 3].reserve(call) for n, call in enumerate(calls))
    )
    granted = [d for d in decisions if isinstance(d, Granted)]
    refusals = {d.why for d in decisions if isinstance(d, Refused)}
    assert len(granted) == 2
    assert refusals == {Refusal.DAY_REQUESTS}
    assert len(await recorded(log)) == 2


async def test_a_long_ledger_is_read_back_to_the_incident():
    """A reservation of an incident that began before thousands of other calls still counts."""
    log = MemoryLog()
    began = NOON - 3 * 86_400
    old = wish("first", at=began, incident=began)
    others = [wish(f"call-{n}", at=began + n, incident=began + n) for n in range(1, 2 * PAGE)]
    calls = [ModelCallReserved(**w.model_dump(exclude={"cluster"})) for w in (old, *others)]
    shard = DirectShard.LEDGER
    head = await log.take_over(shard.value, writer="test", source=shard.source)
    events = [new_event(c, cluster="orders", version=n) for n, c in enumerate(calls, start=1)]
    await log.append(head, events, source_offset=-1)
    same = old.model_copy(update={"call": "later", "at": NOON})
    assert await ledger_of(log).reserve(same) == Refused(Refusal.SAME_EVIDENCE)


@pytest.mark.parametrize(
    ("made", "outcome", "cost"),
    [
        (composed(answer=ANSWER, used=USED), "answered", 400),
        (composed(answer=None, used=USED), "failed", 400),
        (composed(answer=None, used=USED, certain=False), "failed", 2_000),
        (composed(answer=None, used=()), "abandoned", 0),
    ],
)
def test_what_a_call_came_to(made: Composed, outcome: str, cost: int):
    """Known use costs what it costs, unknown use all that was reserved, no request nothing."""
    call = ModelCallReserved(**wish("w").model_dump(exclude={"cluster"}))
    told = settlement(call, made, at=NOON + 20, prices=PRICES)
    assert (told.outcome, told.cost_micro_usd, told.call) == (outcome, cost, "w")


async def test_nothing_is_settled_that_was_not_reserved():
    """A settlement without a reservation is our own mistake and is not written."""
    log = MemoryLog()
    call = ModelCallReserved(**wish("w").model_dump(exclude={"cluster"}))
    told = settlement(call, composed(answer=ANSWER, used=USED), at=NOON, prices=PRICES)
    with pytest.raises(Defect):
        await ledger_of(log).settle("orders", told, reserved_at=NOON)
    assert await recorded(log) == []
