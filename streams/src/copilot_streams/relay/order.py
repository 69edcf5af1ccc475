"""Order within a stream that several shards hold.

Theory of operation. A stream that the fold decides lies in one shard, and the order of the shard is
its order. Explanations of one cluster come from two writers, each with a shard of its own
(`copilot_eventlog.direct`), and the relay publishes shards side by side. So before an event of such
a shard is published, its predecessor has to be: it is known to be when this relay published it, or
when it lies in a shard that is published up to there. Otherwise the event waits, and with it what
stands behind it in its shard, until the other shard has come that far.

Nothing waits for ever: an event is recorded after its predecessor, and behind what stands before it
in its shard, so the oldest event that was not published never waits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from copilot_core.events import RecordedEvent
from copilot_eventlog.protocol import DIRECT_SHARDS, EventLog


class StreamOrder:
    """Tells how much of a page may be published; remembers the last version of each such stream."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._published: dict[str, int] = {}

    async def ready(
        self, page: Sequence[RecordedEvent], positions: Mapping[int, int]
    ) -> Sequence[RecordedEvent]:
        """The beginning of a page of one shard that may be published now.

        `positions` is how far each shard is published. Raises `Unavailable` when the log is away.
        """
        if not page or page[0].shard < DIRECT_SHARDS:
            return page
        known = dict[str, int]()
        for n, event in enumerate(page):
            last = max(known.get(event.stream, 0), self._published.get(event.stream, 0))
            if event.version > last + 1 and not await self._is_published(
                event.stream, event.version - 1, positions
            ):
                return page[:n]
            known[event.stream] = event.version
        return page

    def published(self, events: Sequence[RecordedEvent]) -> None:
        """These were published."""
        for event in events:
            if event.shard >= DIRECT_SHARDS:
                last = self._published.get(event.stream, 0)
                self._published[event.stream] = max(last, event.version)

    async def _is_published(self, stream: str, version: int, positions: Mapping[int, int]) -> bool:
        found = await self._log.read_stream(stream, after=version - 1, limit=1)
        if not found or found[0].version != version:
            return True  # the log lacks it, as `copilot log verify` tells: not to be waited for
        return found[0].position <= positions.get(found[0].shard, -1)
