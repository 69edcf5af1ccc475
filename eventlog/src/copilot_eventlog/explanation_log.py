"""Explanations in the log: the stream `explanation/<cluster>`, where each is told once.

Theory of operation. The explainer writes here, and so do workflows; each of them may be started
again in the middle of it. What must not happen twice has a *key*: the type, the event that it
explains, and the revision. A version happens once in a stream, so to look and then to append the
next version is to compare and swap:

    look     is there an explanation with this key?             done: it is the one that counts
    append   as the version behind the newest one that was seen
    Conflict somebody wrote in between: look again, at what is new only, a bounded number of times

An explanation is recorded after what it explains, so a look goes back to that moment and no
further; between two database nodes' clocks lies a second at the most, `CLOCK_SLACK_S` is far more.
"""

from __future__ import annotations

from typing import Final, TypeAlias
from uuid import UUID

from whenever import Instant

from copilot_core.errors import Conflict, Unavailable
from copilot_core.events import (
    IncidentReviewed,
    RecordedEvent,
    StateAssessed,
    TransitionExplained,
    new_event,
)
from copilot_eventlog.direct import DirectWriter
from copilot_eventlog.protocol import EventLog

Explained: TypeAlias = TransitionExplained | IncidentReviewed | StateAssessed
Key: TypeAlias = tuple[str, UUID, int]
"""Type, explained event, revision: what there is only one of."""

PAGE: Final = 50
"""Explanations are some 5 kB each."""
CLOCK_SLACK_S: Final = 60
ATTEMPTS: Final = 8
"""Of looks and appends; two writers that meet at every one of them do not exist."""


def key_of(event: Explained) -> Key:
    """What there is only one of."""
    return (type(event).__name__, event.explains, event.revision)


class ExplanationStream:
    """What the stream of one cluster holds: what is new since the last look, and back to where
    somebody asked for.

    `newest` is the highest version that was seen, 0 while there is none.
    """

    def __init__(self, log: EventLog, cluster: str) -> None:
        self.newest = 0
        self._log = log
        self._stream = f"{TransitionExplained.stream_kind}/{cluster}"
        self._found: dict[Key, RecordedEvent] = {}
        self._signatures: set[str] = set()
        self._oldest: RecordedEvent | None = None

    async def look(self, *, since: Instant) -> None:
        """See what was appended since the last look, and everything recorded after `since`.

        Raises `Unavailable` when the log does not answer.
        """
        if self._oldest is None:
            await self._begin()
        else:
            while page := await self._read(after=self.newest, limit=PAGE):
                self._keep(page)
        floor = since.subtract(seconds=CLOCK_SLACK_S)
        while self._oldest and self._oldest.version > 1 and self._oldest.recorded_at >= floor:
            await self._back(self._oldest.version)

    def find(self, key: Key) -> RecordedEvent | None:
        """The explanation with this key, if it is among what was looked at."""
        return self._found.get(key)

    def rests_on(self, signature: str) -> bool:
        """Whether something among what was looked at rests on this evidence."""
        return signature in self._signatures

    async def _begin(self) -> None:
        newest = await self._log.read_stream(self._stream, limit=1, newest_first=True)
        if newest:
            self._oldest = newest[0]
            self._keep(newest)

    async def _back(self, version: int) -> None:
        first = max(1, version - PAGE)
        page = await self._read(after=first - 1, limit=version - first)
        self._keep(page)
        self._oldest = page[0]

    async def _read(self, *, after: int, limit: int) -> list[RecordedEvent]:
        return await self._log.read_stream(self._stream, after=after, limit=limit)

    def _keep(self, page: list[RecordedEvent]) -> None:
        for recorded in page:
            event = recorded.decoded()
            if isinstance(event, TransitionExplained | IncidentReviewed | StateAssessed):
                self._found.setdefault(key_of(event), recorded)
                self._signatures.add(event.signature)
            self.newest = max(self.newest, recorded.version)


async def find(log: EventLog, cluster: str, key: Key, *, since: Instant) -> RecordedEvent | None:
    """The explanation with a key, None when it was not told; `since` is when what it explains was
    recorded.

    Raises `Unavailable` when the log does not answer.
    """
    stream = ExplanationStream(log, cluster)
    await stream.look(since=since)
    return stream.find(key)


async def append_once(
    log: EventLog, writer: DirectWriter, cluster: str, event: Explained, *, since: Instant
) -> RecordedEvent:
    """Record an explanation unless there is one with its key; returns the one that counts.

    `since` is when what it explains was recorded. Raises `Unavailable` when the log does not
    answer or others are never done.
    """
    stream = ExplanationStream(log, cluster)
    for _ in range(ATTEMPTS):
        await stream.look(since=since)
        if found := stream.find(key_of(event)):
            return found
        new = new_event(event, cluster=cluster, version=stream.newest + 1)
        try:
            return await writer.append(new)
        except Conflict:
            continue
    raise Unavailable(
        f"{ATTEMPTS} times another explanation came in between",
        where=f"{event.stream_kind}/{cluster}",
        todo="do it again when the others are done",
    )
