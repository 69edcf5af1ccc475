"""Direct appends and the log of explanations, on every log."""

from __future__ import annotations

from copilot_core.events import RecordedEvent
from copilot_eventlog.explanation_log import ExplanationStream, key_of
from copilot_eventlog.memory import MemoryLog
from tests.integration.eventlog.contract import T0
from tests.integration.eventlog.direct_contract import DirectContract, append, explained
from tests.integration.eventlog.logs import InMemory, OnFailingDsql, OnPostgres


class TestInMemory(InMemory, DirectContract):
    """The contract, in memory."""


class TestOnPostgres(OnPostgres, DirectContract):
    """The contract, in PostgreSQL; the rival has connections of its own."""


class TestOnFailingDsql(OnFailingDsql, DirectContract):
    """The contract, where a third of all transactions fail or lose their answer."""


class Counting(MemoryLog):
    """A log that counts the reads of streams and records an event an hour after the other."""

    def __init__(self) -> None:
        super().__init__(clock=lambda: T0.add(hours=self._recorded))
        self.reads = 0
        self._recorded = 0

    async def told(self, n: int) -> None:
        """Record the n-th explanation at the n-th hour."""
        self._recorded = n
        await append(self, explained(n))

    async def read_stream(
        self, stream: str, *, after: int = 0, limit: int = 1000, newest_first: bool = False
    ) -> list[RecordedEvent]:
        self.reads += 1
        return await super().read_stream(
            stream, after=after, limit=limit, newest_first=newest_first
        )


async def test_a_second_look_reads_nothing_twice() -> None:
    """Of what is forgotten the last is kept: it says that there is nothing further back to read."""
    log = Counting()
    for n in range(1, 6):
        await log.told(n)
    stream = ExplanationStream(log, "a")
    since = T0.add(hours=3, minutes=30)
    await stream.look(since=since)
    assert [stream.find(key_of(explained(n))) for n in range(1, 6)] == [None, None, 3, 4, 5]
    log.reads = 0
    await stream.look(since=since)
    assert (log.reads, len(stream)) == (1, 3)
