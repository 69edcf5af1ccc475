"""The ledger in the log: reserve a call of a model before it is made, settle it afterwards.

Theory of operation. `copilot_core.budget` decides; here the stream `ledger/<cluster>` is read and
appended to. Two workflows may want the last of a budget at once: each decides on what it has read
and appends the next version, one of them is told that it came second, reads again and decides
again. So no limit is passed by two who did not know of each other, and a call that is asked for or
settled twice is in the log once.

It is read backwards, and no further than a decision needs: to the beginning of the day and of the
incident, whichever is earlier.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from copilot_core.budget import (
    DAY_S,
    Granted,
    LedgerEvent,
    Limits,
    Outcome,
    Refused,
    decide,
    settle,
    unknown_use,
)
from copilot_core.errors import Conflict, Unavailable
from copilot_core.events import ModelCallReserved, ModelCallSettled, RecordedEvent, new_event
from copilot_eventlog.direct import DirectWriter
from copilot_eventlog.protocol import EventLog
from copilot_workflows.agents.prices import Price, price_of
from copilot_workflows.agents.requests import CallWish, Composed

PAGE: Final = 200
ATTEMPTS: Final = 8
"""Of reads and appends; eight others between each of them do not exist."""
CLOCK_SLACK_S: Final = 300
"""Workers write their own clock's time; no two differ by more while TLS and IAM work at all."""


class Ledger:
    """The ledgers of all clusters. `writer` is that of the shard `DirectShard.LEDGER`."""

    def __init__(self, log: EventLog, writer: DirectWriter, limits: Limits) -> None:
        self._log = log
        self._writer = writer
        self._limits = limits

    async def reserve(self, wish: CallWish) -> Granted | Refused:
        """Reserve a call, or tell why it is not to be made; a retry finds its own reservation.

        Raises `Unavailable` when the log does not answer or others are never done.
        """
        call = ModelCallReserved(**wish.model_dump(exclude={"cluster"}))
        floor = min(wish.at // DAY_S * DAY_S, wish.incident) - CLOCK_SLACK_S
        for _ in range(ATTEMPTS):
            version, events = await self._read(wish.cluster, floor)
            decision = decide(events, call, limits=self._limits)
            if isinstance(decision, Refused) or not decision.fresh:
                return decision
            if await self._appended(decision.call, wish.cluster, version + 1):
                return decision
        raise _never_done(wish.cluster)

    async def settle(self, cluster: str, settled: ModelCallSettled, *, reserved_at: int) -> None:
        """Settle a call that was reserved at that time; a retry finds it settled.

        Raises `Unavailable` as `reserve` does, `Defect` for a call that was never reserved.
        """
        for _ in range(ATTEMPTS):
            version, events = await self._read(cluster, reserved_at - CLOCK_SLACK_S)
            event = settle(events, settled)
            if event is None or await self._appended(event, cluster, version + 1):
                return
        raise _never_done(cluster)

    async def _appended(self, event: LedgerEvent, cluster: str, version: int) -> bool:
        try:
            await self._writer.append(new_event(event, cluster=cluster, version=version))
        except Conflict:
            return False
        return True

    async def _read(self, cluster: str, floor: int) -> tuple[int, list[LedgerEvent]]:
        """The newest version of a ledger, and its events back to a time, oldest first."""
        stream = f"{ModelCallReserved.stream_kind}/{cluster}"
        page = await self._log.read_stream(stream, limit=1, newest_first=True)
        newest, events = (page[0].version if page else 0), list(page)
        while events and events[0].version > 1 and events[0].occurred_at.timestamp() >= floor:
            first = max(1, events[0].version - PAGE)
            page = await self._log.read_stream(
                stream, after=first - 1, limit=events[0].version - first
            )
            events = [*page, *events]
        return newest, [e for recorded in events if (e := _of_ledger(recorded)) is not None]


def _of_ledger(recorded: RecordedEvent) -> LedgerEvent | None:
    event = recorded.decoded()
    return event if isinstance(event, ModelCallReserved | ModelCallSettled) else None


def settlement(
    call: ModelCallReserved, composed: Composed, *, at: int, prices: Mapping[str, Price]
) -> ModelCallSettled:
    """What a call came to. Where a request was made whose use nobody knows, it is all that was
    reserved."""
    if not composed.certain:
        return unknown_use(call, at=at)
    if not composed.used:
        outcome = Outcome.ABANDONED
    else:
        outcome = Outcome.FAILED if composed.answer is None else Outcome.ANSWERED
    return ModelCallSettled(
        at=at,
        call=call.call,
        outcome=outcome,
        requests=sum(used.requests for used in composed.used),
        input_tokens=sum(used.input_tokens for used in composed.used),
        output_tokens=sum(used.output_tokens for used in composed.used),
        cost_micro_usd=sum(
            price_of(used.model, prices).micro_usd(
                input_tokens=used.input_tokens, output_tokens=used.output_tokens
            )
            for used in composed.used
        ),
    )


def _never_done(cluster: str) -> Unavailable:
    return Unavailable(
        f"{ATTEMPTS} times another call came in between",
        where=f"{ModelCallReserved.stream_kind}/{cluster}",
        todo="do it again when the others are done",
    )
