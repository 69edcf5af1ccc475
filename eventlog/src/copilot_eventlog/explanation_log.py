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
What lies before that moment is forgotten again, and of the rest only keys are kept: some 0.4 kB for
each explanation. `find` and `append_once` go back `LOOK_BACK` explanations at the most.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias
from uuid import UUID

from whenever import Instant

from copilot_core.errors import Conflict, Rejected, Unavailable
from copilot_core.events import Explaining, RecordedEvent, TransitionExplained, new_event
from copilot_eventlog.direct import DirectWriter
from copilot_eventlog.protocol import EventLog

Key: TypeAlias = tuple[str, UUID, int]
"""Type, explained event, revision: what there is only one of."""

PAGE: Final = 50
"""Explanations are some 5 kB each."""
CLOCK_SLACK_S: Final = 60
LOOK_BACK: Final = 2_000
"""Explanations that one search goes back: 10 MB, 40 pages. Who asks explains events of the last
hour or the last ranking of a cluster: five explanations for each of an hour's 120 slots are 600."""
ATTEMPTS: Final = 8
"""Of looks and appends; two writers that meet at every one of them do not exist."""


def key_of(event: Explaining) -> Key:
    """What there is only one of."""
    return (type(event).__name__, event.explains, event.revision)


@dataclass(frozen=True, slots=True)
class _Line:
    """What is kept of one event of the stream; `key` is None for one that explains nothing."""

    version: int
    recorded_at: Instant
    key: Key | None
    signature: str


class ExplanationStream:
    """The keys in the stream of one cluster: what is new since the last look, and back to where
    somebody asked for, `back` events at the most.

    `newest` is the highest version that was seen, 0 while there is none. What is kept has no gap,
    and begins with the last event before the moment that the last look went back to.
    """

    def __init__(self, log: EventLog, cluster: str, *, back: int | None = None) -> None:
        self.newest = 0
        self._log = log
        self._stream = f"{TransitionExplained.stream_kind}/{cluster}"
        self._back = back
        self._lines: list[_Line] = []

    def __len__(self) -> int:
        """How many keys are kept."""
        return len(self._lines)

    async def look(self, *, since: Instant) -> None:
        """See what was appended since the last look, and everything recorded after `since`.

        Raises `Unavailable` when the log does not answer, `Rejected` (code `too_far_back`) when
        that is more than `back` events ago.
        """
        if self._lines:
            while page := await self._read(after=self.newest, limit=PAGE):
                self._lines += page
                self.newest = page[-1].version
        else:
            await self._begin()
        floor = since.subtract(seconds=CLOCK_SLACK_S)
        while self._lines and self._lines[0].version > 1 and self._lines[0].recorded_at >= floor:
            await self._further()
        self._forget(floor)

    def find(self, key: Key) -> int | None:
        """The version of the explanation with this key, if it is among what was looked at."""
        return next((line.version for line in self._lines if line.key == key), None)

    def rests_on(self, signature: str) -> bool:
        """Whether something among what was looked at rests on this evidence."""
        return any(line.key and line.signature == signature for line in self._lines)

    async def _begin(self) -> None:
        newest = await self._log.read_stream(self._stream, limit=1, newest_first=True)
        self._lines = [_line(recorded) for recorded in newest]
        self.newest = newest[0].version if newest else 0

    async def _further(self) -> None:
        below = self._lines[0].version
        if self._back is not None and self.newest - below >= self._back:
            raise Rejected(
                f"more than {self._back} explanations were recorded since",
                where=self._stream,
                todo="leave it to the explainer, which tells what is old in order",
                code="too_far_back",
            )
        first = max(1, below - PAGE)
        self._lines[:0] = await self._read(after=first - 1, limit=below - first)

    async def _read(self, *, after: int, limit: int) -> list[_Line]:
        page = await self._log.read_stream(self._stream, after=after, limit=limit)
        return [_line(recorded) for recorded in page]

    def _forget(self, floor: Instant) -> None:
        """Keep one line below the floor: it says that there is nothing more to read back to."""
        for n, line in enumerate(self._lines):
            if line.recorded_at >= floor:
                del self._lines[: max(0, n - 1)]
                return
        del self._lines[:-1]


def _line(recorded: RecordedEvent) -> _Line:
    event = recorded.decoded()
    explains = isinstance(event, Explaining)
    return _Line(
        version=recorded.version,
        recorded_at=recorded.recorded_at,
        key=key_of(event) if explains else None,
        signature=event.signature if explains else "",
    )


async def find(log: EventLog, cluster: str, key: Key, *, since: Instant) -> RecordedEvent | None:
    """The explanation with a key, None when it was not told; `since` is when what it explains was
    recorded.

    Raises as `ExplanationStream.look`.
    """
    stream = ExplanationStream(log, cluster, back=LOOK_BACK)
    await stream.look(since=since)
    return await _event(log, cluster, stream.find(key))


async def append_once(
    log: EventLog, writer: DirectWriter, cluster: str, event: Explaining, *, since: Instant
) -> RecordedEvent:
    """Record an explanation unless there is one with its key; returns the one that counts.

    `since` is when what it explains was recorded. Raises as `ExplanationStream.look`, and
    `Unavailable` when others are never done.
    """
    stream = ExplanationStream(log, cluster, back=LOOK_BACK)
    for _ in range(ATTEMPTS):
        await stream.look(since=since)
        if found := await _event(log, cluster, stream.find(key_of(event))):
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


async def _event(log: EventLog, cluster: str, version: int | None) -> RecordedEvent | None:
    """The event with a version in the stream of a cluster; None for none."""
    if version is None:
        return None
    stream = f"{TransitionExplained.stream_kind}/{cluster}"
    (event,) = await log.read_stream(stream, after=version - 1, limit=1)
    return event
