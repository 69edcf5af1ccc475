"""What the log of configuration changes promises; one class, run against every log.

A test class derives from `ConfigLogContract` and from a class of `logs.py`, which gives the
fixtures `log` and `rival`.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from copilot_core.errors import Conflict, Defect, Fenced
from copilot_core.events import ConfigChange, ConfigChanged, RecordedEvent, encode, event_id
from copilot_core.values import Apply
from copilot_eventlog import audit, config_log
from copilot_eventlog.config_log import CONFIG_SHARD
from copilot_eventlog.protocol import DIRECT_SHARDS, EventLog
from tests.integration.eventlog.contract import SOURCE, events

AT = 1_795_367_400


def changed(qps: int, *, author: str = "kim", **other: Any) -> ConfigChanged:
    """A configuration with one value, and the change that led to it; 1 is the first value."""
    change = ConfigChange(
        parameter="history.qps", before=qps - 1 if qps > 1 else None, after=qps, unit="1/s",
        apply=Apply.LIVE, why="more",
    )  # fmt: skip
    given: dict[str, Any] = {
        "at": AT + qps, "fingerprint": f"{qps:064x}",
        "previous_fingerprint": f"{qps - 1:064x}" if qps > 1 else None,
        "preset": "starter", "modifier": None, "server_version": "1.32.1",
        "compiler_version": "0.1.0", "author": author, "reason": "a test", "changes": (change,),
        "values": {"history.qps": qps}, "bounds": (), **other,
    }  # fmt: skip
    return ConfigChanged(**given)


async def append(
    log: EventLog, event: ConfigChanged, version: int, *, cluster: str = "orders"
) -> RecordedEvent:
    """Append as one writer would."""
    return await config_log.append(log, cluster, event, version=version, writer="test")


async def recorded(log: EventLog, cluster: str = "orders") -> list[RecordedEvent]:
    """All changes of a cluster, in order."""
    return await log.read_stream(f"config/{cluster}")


class ConfigLogContract:
    """The laws of configuration changes in the log, one fact a test."""

    async def test_nothing_was_emitted_yet(self, log: EventLog) -> None:
        """A cluster without a change has none; that is an answer, not an error."""
        assert await config_log.last(log, "orders") is None

    async def test_what_is_appended_is_read_back(self, log: EventLog) -> None:
        """A change comes back with its version, its derived id, its bytes, and from no message."""
        event = changed(1)
        told = await append(log, event, 1)
        assert told == await config_log.last(log, "orders")
        assert (told.stream, told.version, told.shard) == ("config/orders", 1, CONFIG_SHARD)
        assert told.event_id == event_id("config/orders", 1)
        assert told.payload == encode(event)
        assert told.occurred_at.timestamp() == event.at
        assert told.causation is None
        assert told.decoded() == event

    async def test_clusters_do_not_see_each_other(self, log: EventLog) -> None:
        """Each cluster's versions count from 1; all of them share one dense shard."""
        for n, cluster in enumerate(("a", "b", "a", "c"), start=1):
            newest = await config_log.last(log, cluster)
            await append(log, changed(n), newest.version + 1 if newest else 1, cluster=cluster)
        assert [e.version for e in await recorded(log, "a")] == [1, 2]
        shard = await log.read(CONFIG_SHARD)
        assert [(e.position, e.cluster) for e in shard] == [(0, "a"), (1, "b"), (2, "a"), (3, "c")]

    async def test_a_taken_version_is_a_conflict(self, log: EventLog, rival: EventLog) -> None:
        """Two read the same last change; the second append is told, and leaves no trace."""
        await append(log, changed(1), 1)
        first = await append(log, changed(2, author="kim"), 2)
        with pytest.raises(Conflict, match="first") as caught:
            await append(rival, changed(3, author="lee"), 2)
        assert not isinstance(caught.value, Fenced)
        assert caught.value.where == "config/orders"
        assert await config_log.last(rival, "orders") == first
        assert len(await recorded(log)) == 2

    async def test_a_version_cannot_be_skipped(self, log: EventLog) -> None:
        """A version behind the next one is a defect of the writer, and changes nothing."""
        with pytest.raises(Defect, match="the next one is 1"):
            await append(log, changed(1), 2)
        assert await recorded(log) == []

    async def test_the_same_append_twice_is_one_event(self, log: EventLog) -> None:
        """A writer that never got its answer and asks again gets the event that it wrote."""
        first = await append(log, changed(1), 1)
        assert await append(log, changed(1), 1) == first
        await append(log, changed(2), 2)
        assert await append(log, changed(1), 1) == first
        assert len(await recorded(log)) == 2

    async def test_two_writers_race(self, log: EventLog, rival: EventLog) -> None:
        """Of two writers that want the same version, one gets it and the other is told.

        Both read the last change and append behind it, over and over; every event that was
        answered is in the log, versions are dense, and each is exactly one writer's.
        """
        won: dict[int, str] = {}
        lost = 0

        async def write(door: EventLog, author: str) -> None:
            nonlocal lost
            for n in range(8):
                newest = await config_log.last(door, "orders")
                version = newest.version + 1 if newest else 1
                await asyncio.sleep(0)
                try:
                    await append(door, changed(n, author=author), version)
                except Conflict:
                    lost += 1
                else:
                    assert version not in won
                    won[version] = author

        await asyncio.gather(write(log, "kim"), write(rival, "lee"))
        assert lost + len(won) == 16
        in_log = {e.version: e.decoded() for e in await recorded(log)}
        assert list(in_log) == list(range(1, len(won) + 1))
        assert {v: e.author for v, e in in_log.items() if isinstance(e, ConfigChanged)} == won

    async def test_writers_of_different_clusters_do_not_conflict(
        self, log: EventLog, rival: EventLog
    ) -> None:
        """They share a shard and fence each other; each takes it over again and gets through."""

        async def write(door: EventLog, cluster: str) -> None:
            for n in range(1, 4):
                await append(door, changed(n), n, cluster=cluster)

        await asyncio.gather(write(log, "a"), write(rival, "b"))
        for cluster in ("a", "b"):
            assert [e.version for e in await recorded(log, cluster)] == [1, 2, 3]

    async def test_workers_are_not_disturbed(self, log: EventLog) -> None:
        """A change of configuration moves no head of a partition and is in none of them."""
        head = await log.take_over(3, writer="worker", source=SOURCE)
        await append(log, changed(1), 1)
        moved = await log.append(head, events(1, 2), source_offset=5)
        assert await log.head(3) == moved
        assert await log.shards() == [3, DIRECT_SHARDS]
        assert {e.stream for e in await log.read(3)} == {"health/a"}

    async def test_a_log_with_configuration_is_sound(self, log: EventLog) -> None:
        """`copilot log verify`'s checks hold for the stream and the shard of configuration."""
        for n in range(1, 4):
            await append(log, changed(n), n)
        findings: list[audit.Finding] = []
        verified = await audit.verify(log, report=findings.append)
        assert findings == []
        assert (verified.shards, verified.streams, verified.events) == (1, 1, 3)
