"""The worker on real Kafka and PostgreSQL: whatever happens to it, the log is that of the fold.

Each test is a timeline. What is checked at its end is always the same: the log holds exactly what
folding the sent messages in this process gives, byte for byte and digest for digest.
"""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from copilot_core.events import SampleRecorded
from copilot_core.samples import LogSample
from copilot_streams.kafka import KafkaSettings
from tests.e2e.line import FIRST_SLOT, INTERVAL_S, Line, eventually, sample, samples
from tests.infra.kafka import Kafka
from tests.infra.postgres import Postgres

CLUSTERS = ("emea", "apac", "amer", "test-1")
CRASHING = "tests.e2e.crashing_worker"


async def test_what_is_sent_is_in_the_log(line: Line) -> None:
    """Samples, log samples and gaps of four clusters over two partitions give the fold's events."""
    messages = samples(CLUSTERS, slots=20)
    del messages[41]  # one slot of one cluster never comes
    logs = [
        LogSample(
            cluster=cluster,
            slot=FIRST_SLOT + n * INTERVAL_S,
            interval_s=INTERVAL_S,
            counts={"history": {"shard_acquired": n}},
        )
        for n in range(10)
        for cluster in CLUSTERS
    ]
    await line.send([*messages, *logs])
    worker = line.start_worker()
    await line.log_holds_everything()
    assert worker.stop() == 0


@pytest.mark.parametrize("when", ["before:2", "after:2"])
async def test_killed_at_an_append_nothing_is_lost_or_doubled(
    line: Line, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    """Dying between fetch and append, or between append and acknowledgement, leaves no trace."""
    monkeypatch.setenv("TEST_CRASH", when)
    await line.send(samples(CLUSTERS, slots=5))
    dying = line.start_worker("a", module=CRASHING)
    await line.send(samples(CLUSTERS, slots=10, after=5))
    await line.send(samples(CLUSTERS, slots=5, after=15))
    assert await dying.ended() == -signal.SIGKILL
    line.start_worker("a")
    await line.log_holds_everything()


async def test_a_held_sample_survives_a_kill(line: Line) -> None:
    """A sample that waits for an earlier slot is not in the log, and not forgotten either."""
    await line.send(samples(["emea"], slots=3))
    early = sample("emea", FIRST_SLOT + 4 * INTERVAL_S)  # slot 3 is still missing
    await line.send([early])
    worker = line.start_worker()
    shard = line.shard_of("emea")

    async def held() -> bool:
        return (await line.offsets()).get(shard) == 3

    await eventually(held)
    worker.kill()
    await line.send([sample("emea", FIRST_SLOT + 3 * INTERVAL_S)])
    line.start_worker()
    await line.log_holds_everything()
    recorded = [e.decoded() for e in (await line.recorded())["health/emea"]]
    slots = [event.slot for event in recorded if isinstance(event, SampleRecorded)]
    assert slots == [FIRST_SLOT + n * INTERVAL_S for n in range(5)]


async def test_of_two_writers_the_fenced_one_stops(line: Line) -> None:
    """A second worker outside the group takes the shards over; the first notices and exits 3."""
    await line.send(samples(CLUSTERS, slots=5))
    first = line.start_worker("a")
    await line.log_holds_everything()
    line.start_worker("b", worker_group="another-group")

    async def taken_over() -> bool:
        return await line.owners() == {"b"}

    await eventually(taken_over)
    await line.send(samples(CLUSTERS, slots=5, after=5))
    assert await first.ended() == 3
    assert "another worker writes to this shard" in first.said()
    await line.send(samples(CLUSTERS, slots=5, after=10))
    await line.log_holds_everything()


async def test_a_second_worker_shares_the_work_and_a_killed_one_is_replaced(line: Line) -> None:
    """Join, then kill -9: shards move between workers and the log stays that of the fold."""
    await line.send(samples(CLUSTERS, slots=5))
    line.start_worker("a")
    await line.log_holds_everything()
    second = line.start_worker("b")
    await second.says("shards taken over")
    await line.send(samples(CLUSTERS, slots=10, after=5))
    await line.log_holds_everything()
    assert await line.owners() == {"a", "b"}
    second.kill()
    await line.send(samples(CLUSTERS, slots=10, after=15))
    await line.log_holds_everything()
    assert await line.owners() == {"a"}


async def test_a_broker_that_is_away_is_waited_for(line: Line, own_kafka: Kafka) -> None:
    """The broker dies for 15 s; the worker stays, goes on by itself, and misses nothing."""
    await line.send(samples(CLUSTERS, slots=5))
    worker = line.start_worker()
    await line.log_holds_everything()
    await asyncio.to_thread(own_kafka.kill)
    await asyncio.sleep(15)
    await asyncio.to_thread(own_kafka.start)
    await line.send(samples(CLUSTERS, slots=10, after=5))
    await line.log_holds_everything()
    assert worker.exit_code is None


async def test_a_database_that_is_away_is_waited_for(
    own_kafka: Kafka, own_postgres: Postgres, tmp_path: Path
) -> None:
    """The database dies for 15 s under load; the worker waits, appends in place, loses nothing."""
    dsn = own_postgres.dsn(own_postgres.create_database())
    async with Line.on(KafkaSettings(kafka_bootstrap=own_kafka.bootstrap), dsn, tmp_path) as line:
        await line.send(samples(CLUSTERS, slots=5))
        worker = line.start_worker()
        await line.log_holds_everything()
        await asyncio.to_thread(own_postgres.kill)
        await line.send(samples(CLUSTERS, slots=5, after=5))
        await asyncio.sleep(15)
        await line.send(samples(CLUSTERS, slots=5, after=10))
        await asyncio.to_thread(own_postgres.start)
        await line.log_holds_everything()
        assert worker.exit_code is None


async def test_doubles_and_reordering_change_nothing(line: Line) -> None:
    """Every sample sent twice and neighbours swapped: the log is that of the plain sequence."""
    plain = samples(["emea"], slots=20)
    shuffled = [plain[0]]
    for n in range(1, 19, 2):
        shuffled += [plain[n + 1], plain[n], plain[n + 1], plain[n]]
    shuffled.append(plain[19])
    await line.send(shuffled)
    line.start_worker()
    await line.log_holds_everything()
    line.sent = list(plain)
    await line.log_holds_everything()


async def test_a_worker_that_cannot_move_exits(line: Line, own_kafka: Kafka) -> None:
    """A frozen broker gives no error, only silence: the worker exits 75 and says what it lacks."""
    worker = line.start_worker(no_progress_exit_s=8)
    await worker.says("shards taken over")
    own_kafka.pause()
    try:
        assert await worker.ended() == 75
    finally:
        own_kafka.resume()
    assert "nothing moved for" in worker.said()


async def test_sigterm_ends_a_worker_cleanly(line: Line) -> None:
    """SIGTERM under load: exit code 0, and what was in flight is done by the next worker."""
    worker = line.start_worker()
    await worker.says("shards taken over")
    await line.send(samples(CLUSTERS, slots=10))
    assert worker.stop() == 0
    await line.send(samples(CLUSTERS, slots=5, after=10))
    worker.start()
    await line.log_holds_everything()
    assert worker.stop() == 0


async def test_restart_on_a_wrong_setting_names_it(line: Line) -> None:
    """A worker with a wrong setting exits 2 and names the variable."""
    worker = line.start_worker(worker_session_timeout_s=1)
    assert await worker.ended() == 2
    assert "COPILOT_WORKER_SESSION_TIMEOUT_S" in worker.said()
