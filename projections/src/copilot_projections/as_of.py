"""As of: what was believed of a cluster at any past instant, and why.

Theory of operation. Event time counts: the answer is that of the last slot at or before the
instant. `SampleRecorded` carries its verdict, so the state of a slot is found, not folded again:

    1. the sample    its stream is in order of slots and dense in versions, so it is searched by
                     interpolation, halving when that does not help: some four pages of the log
    2. the changes   the last transition, change of sight and ranking of causes may lie months
                     before the sample; the timeline view is the index that leads to them. Where it
                     has not come as far as the sample yet, the log is walked back to where it has.

Without views (a log in memory) the walk goes back as far as it must.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from whenever import Instant

from copilot_core.events import (
    CausesRanked,
    Event,
    HealthTransitioned,
    RecordedEvent,
    SampleRecorded,
    SightLost,
    SightRegained,
    decode,
)
from copilot_eventlog.protocol import EventLog
from copilot_projections.full_status import FullStatus, compose
from copilot_projections.reader import ViewReader
from copilot_projections.views import timeline

PAGE: Final = 16
"""Events of one probe: enough for the other events of a slot, small enough to read in 1 ms."""
MAX_VERSION: Final = 2**62
WALK: Final = 500
"""Events of one page while the log is walked back."""

_SAMPLE: Final = SampleRecorded.__name__
_TRANSITION: Final = frozenset({HealthTransitioned.__name__})
_SIGHT: Final = frozenset({SightLost.__name__, SightRegained.__name__})
_RANKED: Final = frozenset({CausesRanked.__name__})


@dataclass(frozen=True, slots=True)
class _Found:
    """The event of a kind that held at an instant, wherever it was found."""

    event: Event
    position: int


async def full_status(
    log: EventLog, cluster: str, at: Instant, *, views: ViewReader | None = None
) -> FullStatus | None:
    """The full status of a cluster at an instant of event time, from its log.

    `views` leads to the timeline, the index that keeps the answer quick; without it the log is
    walked back. None when nothing had been seen of the cluster by then. Raises `Unavailable` when
    the store does not answer.
    """
    stream, slot = f"{SampleRecorded.stream_kind}/{cluster}", at.timestamp()
    beginning, newest, indexed = await asyncio.gather(
        _page_with_sample(log, stream, 1, MAX_VERSION),
        log.read_stream(stream, limit=PAGE, newest_first=True),
        _indexed_to(views),
    )
    slot_events = await _slot_events(log, slot, beginning, newest[::-1])
    if not slot_events:
        return None
    recorded = slot_events[0]
    sample = recorded.decoded()
    assert isinstance(sample, SampleRecorded)
    known_to = indexed.get(recorded.shard, -1)
    transition, sight, ranked = await asyncio.gather(
        _last(log, views, _TRANSITION, slot_events, known_to=known_to),
        _last(log, views, _SIGHT, slot_events, known_to=known_to),
        _last(log, views, _RANKED, slot_events, known_to=known_to),
    )
    kinds = {_SAMPLE, *_TRANSITION, *_SIGHT, *_RANKED}
    first = next(event for event in beginning if event.type in kinds)
    return compose(
        sample,
        _transition_of(transition),
        _sight_of(sight),
        _ranked_of(ranked),
        cluster=cluster,
        first_slot=_slot(first),
        shard=recorded.shard,
        position=max([recorded.position, *(f.position for f in (transition, sight, ranked) if f)]),
    )


async def _slot_events(
    log: EventLog, slot: int, beginning: Sequence[RecordedEvent], newest: Sequence[RecordedEvent]
) -> Sequence[RecordedEvent]:
    """The last sample at or before a slot and the other events of its slot; empty for none.

    `beginning` and `newest` are the first and the last page of the stream, both in order.
    """
    # The wanted sample has a version from `low` on and below `high`.
    low, high = _narrowed(beginning, slot, _Bound(0, 0), _Bound(MAX_VERSION, 0))
    if low.version == 0:
        return ()
    end = newest[-1].version + 1
    low, high = _narrowed(newest, slot, low, high if high.slot else _Bound(end, 0))
    halve = False
    page = newest if low.version >= newest[0].version else beginning
    while (found := _slot_in(page, slot, end)) is None:
        width = high.version - low.version
        if width <= PAGE:
            page = await log.read_stream(beginning[0].stream, after=low.version - 1, limit=2 * PAGE)
            return _slot_in(page, slot, page[-1].version + 1) or ()
        share = 0.5 if halve or not high.slot else (slot - low.slot) / (high.slot - low.slot)
        start = low.version + max(1, min(int(width * share) - PAGE // 2, width - PAGE))
        page = await _page_with_sample(log, beginning[0].stream, start, high.version)
        low, high = _narrowed(page, slot, low, high) if page else (low, _Bound(start, high.slot))
        halve = high.version - low.version > width // 2
    return found


def _slot_in(page: Sequence[RecordedEvent], slot: int, end: int) -> Sequence[RecordedEvent] | None:
    """The wanted sample and its slot's events, when the page holds them and the sample behind them.

    A page that reaches the `end` of the stream needs no sample behind.
    """
    samples = [i for i, event in enumerate(page) if event.type == _SAMPLE]
    wanted = [i for i in samples if _slot(page[i]) <= slot]
    behind = [i for i in samples if _slot(page[i]) > slot]
    if not wanted or not (behind or page[-1].version + 1 == end):
        return None
    return page[wanted[-1] : behind[0] if behind else len(page)]


async def _page_with_sample(
    log: EventLog, stream: str, start: int, end: int
) -> list[RecordedEvent]:
    """The first page from a version on that holds a sample before `end`; empty for none."""
    while start < end:
        page = await log.read_stream(stream, after=start - 1, limit=PAGE)
        if not page or any(event.type == _SAMPLE and event.version < end for event in page):
            return page
        start = page[-1].version + 1
    return []


async def _last(
    log: EventLog,
    views: ViewReader | None,
    types: frozenset[str],
    slot_events: Sequence[RecordedEvent],
    *,
    known_to: int,
) -> _Found | None:
    """The last event of some types up to the end of a slot.

    `known_to` is the position up to which the timeline knows them.
    """
    sample = slot_events[0]
    for event in reversed(slot_events):
        if event.type in types:
            return _Found(event.decoded(), event.position)
    walked = await _walk_back(log, types, sample, known_to)
    if walked or views is None:
        return walked
    row = await timeline.last_before(views, sample.cluster, types, _slot(sample))
    return _Found(decode(row.type, row.schema_version, row.data), row.position) if row else None


async def _indexed_to(views: ViewReader | None) -> dict[int, int]:
    """The last position that the timeline view has taken in, by shard."""
    if views is None:
        return {}
    return {p.shard: p.position for p in await views.positions(timeline.VIEW)}


async def _walk_back(
    log: EventLog, types: frozenset[str], sample: RecordedEvent, known_to: int
) -> _Found | None:
    """The last event of some types before a sample, down to a position of its shard."""
    version, position = sample.version, sample.position
    while version > 1 and position > known_to + 1:
        after = max(0, version - 1 - WALK)
        page = await log.read_stream(sample.stream, after=after, limit=version - 1 - after)
        for event in reversed(page):
            if event.type in types and event.position > known_to:
                return _Found(event.decoded(), event.position)
        version, position = page[0].version, page[0].position
    return None


@dataclass(frozen=True, slots=True)
class _Bound:
    """A version of a stream and the slot of the sample there; slot 0 where there is no sample."""

    version: int
    slot: int


def _narrowed(
    page: Sequence[RecordedEvent], slot: int, low: _Bound, high: _Bound
) -> tuple[_Bound, _Bound]:
    """Bounds drawn in by the samples of a page."""
    for event in page:
        if event.type != _SAMPLE:
            continue
        if _slot(event) <= slot and event.version > low.version:
            low = _Bound(event.version, _slot(event))
        elif _slot(event) > slot and event.version < high.version:
            high = _Bound(event.version, _slot(event))
    return low, high


def _slot(event: RecordedEvent) -> int:
    return event.occurred_at.timestamp()


def _transition_of(found: _Found | None) -> HealthTransitioned | None:
    return found.event if found and isinstance(found.event, HealthTransitioned) else None


def _sight_of(found: _Found | None) -> SightLost | SightRegained | None:
    return found.event if found and isinstance(found.event, (SightLost, SightRegained)) else None


def _ranked_of(found: _Found | None) -> CausesRanked | None:
    return found.event if found and isinstance(found.event, CausesRanked) else None
