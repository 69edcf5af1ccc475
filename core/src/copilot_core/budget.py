"""The budget for models: what a ledger of calls allows, as tables and a small interpreter.

Theory of operation. Before a model is called, the call is *reserved*: an event says what it may
cost at the most. Afterwards it is *settled*: an event says what it came to. The ledger of a cluster
is those events and nothing else, so retries, replays and several workers see the same account.

    reserved, not settled   counts as everything that was reserved: nobody knows what was used
    settled: answered       counts as what was used
    settled: failed         counts as what was settled, which is all of it where use is unknown
    settled: abandoned      counts as nothing: no request was sent

A call has a name that is the same for every retry: the id of the workflow that makes it. Asking
again for one that is reserved is granted without a second event; asking for one that was settled is
refused: it was made. Two calls about the same evidence of the same incident are one too many.

    row of `_LIMITS`   counts the calls
    incident           of the same trouble, named by its first slot
    day                reserved on the same day, UTC

A call is refused when what counts already and what it may cost at the most exceed a limit together,
so an account is never overdrawn as long as no call uses more than it reserved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Final

from copilot_core.errors import Defect
from copilot_core.events import ModelCallReserved, ModelCallSettled

DAY_S: Final = 86_400

LedgerEvent = ModelCallReserved | ModelCallSettled


class Outcome(StrEnum):
    """What became of a reserved call."""

    ANSWERED = "answered"
    FAILED = "failed"
    ABANDONED = "abandoned"


class Refusal(StrEnum):
    """Why a call is not made; label of a counter."""

    ALREADY_MADE = "already_made"
    SAME_EVIDENCE = "same_evidence"
    INCIDENT_REQUESTS = "incident_requests"
    INCIDENT_TOKENS = "incident_tokens"
    INCIDENT_MONEY = "incident_money"
    DAY_REQUESTS = "day_requests"
    DAY_TOKENS = "day_tokens"
    DAY_MONEY = "day_money"


@dataclass(frozen=True, slots=True)
class Amount:
    """Requests, tokens of input and output together, and millionths of a US dollar."""

    requests: int = 0
    tokens: int = 0
    cost_micro_usd: int = 0

    def __add__(self, other: Amount) -> Amount:
        return Amount(
            self.requests + other.requests,
            self.tokens + other.tokens,
            self.cost_micro_usd + other.cost_micro_usd,
        )


@dataclass(frozen=True, slots=True)
class Limits:
    """What may be used per incident and per day, of one cluster."""

    incident: Amount
    day: Amount


@dataclass(frozen=True, slots=True)
class Entry:
    """One call of the ledger; `outcome` is None until it is settled."""

    reserved: ModelCallReserved
    outcome: Outcome | None
    counts: Amount

    @property
    def made(self) -> bool:
        """Whether a model may have been asked."""
        return self.outcome is not Outcome.ABANDONED


@dataclass(frozen=True, slots=True)
class Granted:
    """The call may be made. `fresh` says that the ledger has still to be told."""

    call: ModelCallReserved
    fresh: bool


@dataclass(frozen=True, slots=True)
class Refused:
    """The call is not made. `limit`, `counted` and `asked` are 0 where no limit is the reason."""

    why: Refusal
    limit: int = 0
    counted: int = 0
    asked: int = 0

    @property
    def text(self) -> str:
        """The reason as a clause."""
        if self.why is Refusal.ALREADY_MADE:
            return "this call was made before"
        if self.why is Refusal.SAME_EVIDENCE:
            return "a model was asked about the same evidence before"
        per, _, what = self.why.partition("_")
        show = _dollars if what == "money" else str
        unit = "" if what == "money" else f" {what}"
        return (
            f"the limit of {show(self.limit)}{unit} per {per} would be exceeded:"
            f" {show(self.counted)}{unit} used or reserved,"
            f" this call may need {show(self.asked)}{unit}"
        )


def _dollars(micro_usd: int) -> str:
    return f"{micro_usd // 1_000_000}.{micro_usd % 1_000_000 // 10_000:02d} USD"


def entries(events: Iterable[LedgerEvent]) -> dict[str, Entry]:
    """The calls of a ledger by name, in the order in which they were reserved.

    Of two reservations or settlements of one call the first is it: the second is the same one told
    twice. A settlement without a reservation is of a call that the events do not reach back to.
    """
    found: dict[str, Entry] = {}
    for event in events:
        match event:
            case ModelCallReserved() if event.call not in found:
                found[event.call] = Entry(event, None, amount_of(event))
            case ModelCallSettled() if event.call in found and found[event.call].outcome is None:
                outcome = Outcome(event.outcome)
                used = Amount(
                    event.requests, event.input_tokens + event.output_tokens, event.cost_micro_usd
                )
                counts = Amount() if outcome is Outcome.ABANDONED else used
                found[event.call] = Entry(found[event.call].reserved, outcome, counts)
            case _:
                pass
    return found


def amount_of(call: ModelCallReserved) -> Amount:
    """What a call may use at the most."""
    return Amount(call.requests, call.tokens, call.cost_micro_usd)


def counted(ledger: Mapping[str, Entry], counts: Callable[[ModelCallReserved], bool]) -> Amount:
    """What the calls amount to for which `counts` holds."""
    total = Amount()
    for entry in ledger.values():
        if counts(entry.reserved):
            total += entry.counts
    return total


class _Scope(Enum):
    INCIDENT = "incident"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class _Limit:
    why: Refusal
    scope: _Scope
    figure: Callable[[Amount], int]


_LIMITS: Final[tuple[_Limit, ...]] = (
    _Limit(Refusal.INCIDENT_REQUESTS, _Scope.INCIDENT, lambda amount: amount.requests),
    _Limit(Refusal.INCIDENT_TOKENS, _Scope.INCIDENT, lambda amount: amount.tokens),
    _Limit(Refusal.INCIDENT_MONEY, _Scope.INCIDENT, lambda amount: amount.cost_micro_usd),
    _Limit(Refusal.DAY_REQUESTS, _Scope.DAY, lambda amount: amount.requests),
    _Limit(Refusal.DAY_TOKENS, _Scope.DAY, lambda amount: amount.tokens),
    _Limit(Refusal.DAY_MONEY, _Scope.DAY, lambda amount: amount.cost_micro_usd),
)


def decide(
    events: Iterable[LedgerEvent], wish: ModelCallReserved, *, limits: Limits
) -> Granted | Refused:
    """Whether a call may be made, given the ledger of its cluster.

    `events` reach back at least to the beginning of the wish's day and of its incident. A granted
    call is the one in the ledger where there is one, so that a retry finds its own reservation.
    """
    ledger = entries(events)
    if known := ledger.get(wish.call):
        return Granted(known.reserved, fresh=False) if known.outcome is None else _MADE
    evidence = (wish.incident, wish.signature)
    if any(
        e.made and (e.reserved.incident, e.reserved.signature) == evidence for e in ledger.values()
    ):
        return Refused(Refusal.SAME_EVIDENCE)
    so_far = {
        _Scope.INCIDENT: counted(ledger, lambda call: call.incident == wish.incident),
        _Scope.DAY: counted(ledger, lambda call: call.at // DAY_S == wish.at // DAY_S),
    }
    allowed = {_Scope.INCIDENT: limits.incident, _Scope.DAY: limits.day}
    for row in _LIMITS:
        limit, used = row.figure(allowed[row.scope]), row.figure(so_far[row.scope])
        asked = row.figure(amount_of(wish))
        if used + asked > limit:
            return Refused(row.why, limit=limit, counted=used, asked=asked)
    return Granted(wish, fresh=True)


_MADE: Final = Refused(Refusal.ALREADY_MADE)


def settle(events: Iterable[LedgerEvent], settled: ModelCallSettled) -> ModelCallSettled | None:
    """The event that settles a call, None when it is settled already.

    Raises `Defect` for a call that was never reserved.
    """
    entry = entries(events).get(settled.call)
    if entry is None:
        raise Defect(f"the call {settled.call!r} is settled and was never reserved")
    return settled if entry.outcome is None else None


def unknown_use(call: ModelCallReserved, *, at: int) -> ModelCallSettled:
    """The settlement of a call that failed in a way that leaves unknown what it used."""
    return ModelCallSettled(
        at=at,
        call=call.call,
        outcome=Outcome.FAILED,
        requests=call.requests,
        input_tokens=call.tokens,
        output_tokens=0,
        cost_micro_usd=call.cost_micro_usd,
    )
