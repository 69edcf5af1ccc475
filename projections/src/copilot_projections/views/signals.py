"""Signals: what every signal read, slot by slot, in columnar blocks.

Theory of operation. The newest slots of a cluster lie in `signals_tail`, one compact row each.
When a sample of the next block of `BLOCK_S` arrives, the tail is turned on its side into one block
(a list of values per signal) and leaves: a slot is written twice in all, and a chart of a day reads
fifty rows instead of three thousand.

    tail   | slot 00:00:00 | slot 00:00:30 | ...        newest, row by row
    block  | 00:00 - 00:30 : slots, one column per signal
    kept   | 02:40 - 03:40                             stretches around transitions

Blocks are forgotten `KEPT_S` behind the newest slot of their cluster, unless they touch a stretch
around a transition: those stay for ever. A missing reading is its reason in one letter, never 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from whenever import Instant

from copilot_core.errors import Rejected
from copilot_core.events import HealthTransitioned, RecordedEvent, SampleRecorded
from copilot_core.readings import MISSING_OF, Missing
from copilot_core.signals import BY_NAME, SIGNAL_LISTS
from copilot_projections.reader import ViewReader
from copilot_projections.shape import Answer, At, Rows, Table, View, at, every_cluster, ms

BLOCK_S: Final = 1800
"""Event time in one block: 60 slots at 30 s, about 30 kB."""

KEPT_S: Final = 7 * 24 * 3600
"""Blocks whose end lies further behind the newest slot are forgotten."""

AROUND_S: Final = 1800
"""Before and after a transition, blocks are kept for ever."""


@dataclass(frozen=True, slots=True)
class OpenBlockRow:
    """The block that the tail of a cluster belongs to, by its first second."""

    cluster: str
    block_slot: int


@dataclass(frozen=True, slots=True)
class TailRow:
    """One slot: `readings` is the compact JSON list of the sample, in order of list `signals`."""

    cluster: str
    slot: int
    interval_s: int
    signals: int
    readings: str


@dataclass(frozen=True, slots=True)
class BlockRow:
    """A closed block of one signal list. `body` is JSON: `slots`, and `columns`, one per signal:
    a list of values, or one value where all are the same."""

    cluster: str
    block_slot: int
    signals: int
    last_slot: int
    interval_s: int
    body: str


@dataclass(frozen=True, slots=True)
class KeptRow:
    """A stretch around a transition whose blocks are never forgotten."""

    cluster: str
    from_slot: int
    to_slot: int


def _clusters_closing(rows: Rows, events: Sequence[RecordedEvent]) -> set[str]:
    """Clusters with a sample beyond their open block: only those need to see their tail."""
    return {
        event.cluster
        for event in events
        if event.type == SampleRecorded.__name__
        and (row := rows.get(OPEN, event.cluster)) is not None
        and _block_of(event.occurred_at.timestamp()) != row.block_slot
    }


def _block_of(slot: int) -> int:
    return slot // BLOCK_S * BLOCK_S


OPEN = Table("signals_open", OpenBlockRow, key=("cluster",), loads=every_cluster)
TAIL = Table("signals_tail", TailRow, key=("cluster", "slot"), loads=_clusters_closing)
BLOCKS = Table("signals_blocks", BlockRow, key=("cluster", "block_slot", "signals"))
KEPT = Table("signals_kept", KeptRow, key=("cluster", "from_slot"))


def _column(values: Sequence[Any]) -> Any:
    return values[0] if all(value == values[0] for value in values) else values


def _block(tail: Sequence[TailRow]) -> BlockRow:
    first, last = tail[0], tail[-1]
    columns = [_column(values) for values in zip(*map(readings_of, tail), strict=True)]
    body = orjson.dumps({"slots": [row.slot for row in tail], "columns": columns}).decode()
    return BlockRow(
        first.cluster, _block_of(first.slot), first.signals, last.slot, last.interval_s, body
    )


def _close(rows: Rows, cluster: str) -> None:
    tail = [row for row in rows.all(TAIL) if row.cluster == cluster]
    for signals in sorted({row.signals for row in tail}):
        rows.put(BLOCKS, _block([row for row in tail if row.signals == signals]))
    for row in tail:
        rows.delete(TAIL, cluster, row.slot)


def apply(rows: Rows, events: Sequence[RecordedEvent]) -> None:
    """Fold a batch in order: add slots to the tails, close full blocks, note what to keep."""
    for recorded in events:
        cluster = recorded.cluster
        match recorded.decoded():
            case SampleRecorded() as sample:
                block_slot, open_block = _block_of(sample.slot), rows.get(OPEN, cluster)
                if open_block is not None and block_slot != open_block.block_slot:
                    _close(rows, cluster)
                    rows.prune(BLOCKS, cluster, block_slot - KEPT_S)
                rows.put(OPEN, OpenBlockRow(cluster, block_slot))
                rows.put(
                    TAIL,
                    TailRow(
                        cluster,
                        sample.slot,
                        sample.interval_s,
                        sample.signals,
                        orjson.dumps(sample.readings).decode(),
                    ),
                )
            case HealthTransitioned() as transition:
                rows.put(
                    KEPT, KeptRow(cluster, transition.slot - AROUND_S, transition.slot + AROUND_S)
                )


VIEW = View(
    "signals",
    1,
    (OPEN, TAIL, BLOCKS, KEPT),
    takes=frozenset({SampleRecorded.__name__, HealthTransitioned.__name__}),
    apply=apply,
)


class SignalPoint(Answer):
    """One reading: a value in its unit, or None and the reason why there is none."""

    at: At
    at_ms: int
    signal: str
    unit: str
    value: float | None
    missing: Missing | None


class SignalSeries(Answer):
    """Readings in order of time; `next_since` is where to read on, None when that was all."""

    cluster: str
    points: tuple[SignalPoint, ...]
    next_since: At | None


@dataclass(frozen=True, slots=True)
class SlotReadings:
    """Readings of one slot in compact form, in the order of list `signals`."""

    slot: int
    signals: int
    readings: Sequence[float | str]


def readings_of(row: TailRow) -> list[float | str]:
    """The compact readings of a slot in the tail."""
    return orjson.loads(row.readings)


def slots_of(block: BlockRow) -> Iterator[SlotReadings]:
    """The slots of a block, in order."""
    body = orjson.loads(block.body)
    for i, slot in enumerate(body["slots"]):
        readings = [column[i] if isinstance(column, list) else column for column in body["columns"]]
        yield SlotReadings(slot, block.signals, readings)


def _points(slot: SlotReadings, names: Sequence[str]) -> Iterator[SignalPoint]:
    listed = SIGNAL_LISTS[slot.signals]
    for name in names:
        packed = slot.readings[listed.index(name)] if name in listed else None
        missing = (
            MISSING_OF[packed]
            if isinstance(packed, str)
            else None
            if packed is not None
            else Missing.NO_SOURCE
        )
        yield SignalPoint(
            at=at(slot.slot),
            at_ms=ms(slot.slot),
            signal=name,
            unit=BY_NAME[name].unit,
            value=packed if isinstance(packed, (int, float)) else None,
            missing=missing,
        )


BLOCKS_PER_READ: Final = 48
"""A day of blocks at a time: about 1.5 MB."""


async def _slots(
    views: ViewReader, cluster: str, since: int, until: int, wanted: int
) -> list[SlotReadings]:
    """Slots in [since, until) in order, at least `wanted` of them where there are so many."""
    found: list[SlotReadings] = []
    after = (since - BLOCK_S, -1)
    while True:
        records = await views.fetch(VIEW, "blocks", cluster, *after, until, BLOCKS_PER_READ)
        blocks = [BlockRow(**record) for record in records]
        found += [
            slot for block in blocks for slot in slots_of(block) if since <= slot.slot < until
        ]
        if len(found) >= wanted:
            return found
        if len(blocks) < BLOCKS_PER_READ:
            break
        after = (blocks[-1].block_slot, blocks[-1].signals)
    tail = [TailRow(**record) for record in await views.fetch(VIEW, "tail", cluster, since, until)]
    return found + [SlotReadings(row.slot, row.signals, readings_of(row)) for row in tail]


async def series(
    views: ViewReader,
    cluster: str,
    *,
    names: Sequence[str],
    since: Instant,
    until: Instant,
    limit: int = 10_000,
) -> SignalSeries:
    """Readings of some signals in [`since`, `until`), at most about `limit` points.

    Whole slots only, at least one. Raises `Rejected` for a name that is no signal.
    """
    unknown = [name for name in names if name not in BY_NAME]
    if unknown or not names:
        raise Rejected(
            f"no such signal: {', '.join(unknown)}" if unknown else "no signal named",
            where="signals",
            code="unknown_signal",
            todo="see the signal reference for the names",
        )
    wanted = max(1, limit // len(names))
    slots = await _slots(views, cluster, since.timestamp(), until.timestamp(), wanted + 1)
    points = tuple(point for slot in slots[:wanted] for point in _points(slot, names))
    return SignalSeries(
        cluster=cluster,
        points=points,
        next_since=at(slots[wanted].slot) if len(slots) > wanted else None,
    )
