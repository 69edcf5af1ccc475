"""Bad input on real Kafka: a named reason on the dead-letter topic, and nothing else is lost."""

from __future__ import annotations

import asyncio

import orjson
import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRecord
from whenever import Instant

from copilot_core.samples import DEAD_LETTER_TOPIC, MAX_MESSAGE_BYTES, SAMPLES_TOPIC, encode
from copilot_eventlog.protocol import DeadLetter
from copilot_streams.dead_letters import redrive
from tests.e2e.line import FIRST_SLOT, INTERVAL_S, Line, eventually, sample, samples

GOOD = orjson.loads(encode(sample("emea", FIRST_SLOT)))


def body(**changes: object) -> bytes:
    """A good sample with something changed."""
    return orjson.dumps(GOOD | changes)


FAR = int(Instant.now().timestamp()) // INTERVAL_S * INTERVAL_S + 100 * INTERVAL_S
BAD: dict[str, tuple[bytes | None, bytes | None]] = {
    "empty": (None, b"emea"),
    "too_large": (b"[" + b"0," * MAX_MESSAGE_BYTES + b"0]", b"emea"),
    "not_json": (b"\xff\xfe not utf-8", b"emea"),
    "unknown_kind": (body(kind="rumour"), b"emea"),
    "unknown_version": (body(v=99), b"emea"),
    "unknown_signals": (body(signals=99), b"emea"),
    "malformed": (body(readings=["?"]), b"emea"),
    "lies_about_cluster": (body(), b"apac"),
    "from_the_future": (body(slot=FAR), b"emea"),
}
"""Reason code to (value, key) of a message that has to be refused for that reason."""


async def dead(line: Line, count: int) -> list[ConsumerRecord]:
    """The first messages of the dead-letter topic."""
    consumer = AIOKafkaConsumer(
        DEAD_LETTER_TOPIC,
        bootstrap_servers=line.kafka.kafka_bootstrap,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        async with asyncio.timeout(30):
            return [await consumer.getone() for _ in range(count)]
    finally:
        await consumer.stop()


async def test_each_bad_message_is_named_and_the_good_ones_are_all_folded(line: Line) -> None:
    """Every reason code between good samples: all on the dead-letter topic, the log unharmed."""
    worker = line.start_worker()
    for n, (value, key) in enumerate(BAD.values()):
        await line.send(samples(["emea", "apac"], slots=1, after=n))
        await line.send_raw(value, key=key)
    await line.send(samples(["emea", "apac"], slots=1, after=len(BAD)))
    await line.log_holds_everything()

    letters = await dead(line, len(BAD))
    by_code = {dict(letter.headers)["code"].decode(): letter for letter in letters}
    assert by_code.keys() == BAD.keys()
    for code, (value, key) in BAD.items():
        assert (by_code[code].value, by_code[code].key) == (value, key)
    buried = await line.log.dead_letters()
    assert {letter.code for letter in buried} == BAD.keys()
    assert worker.exit_code is None


async def test_a_letter_refused_twice_is_one_letter(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker killed after refusing and before its append refuses again; the log keeps one."""
    monkeypatch.setenv("TEST_CRASH", "before:1")
    await line.send_raw(b"{", key=b"emea")
    await line.send(samples(["emea"], slots=1))
    dying = line.start_worker("a", module="tests.e2e.crashing_worker")
    await dying.ended()
    line.start_worker("a")
    await line.log_holds_everything()
    assert len(await dead(line, 2)) == 2
    assert [letter.code for letter in await line.log.dead_letters()] == ["not_json"]


@pytest.fixture
async def letters(line: Line) -> Line:
    """A line without a worker: one letter that can be read later, and one that never can."""
    worker = line.start_worker()
    await line.send_raw(body(slot=FAR), key=b"emea")
    await line.send_raw(body(), key=b"apac")

    async def refused() -> bool:
        return len(await line.log.dead_letters()) == 2

    await eventually(refused)
    worker.stop()
    return line


async def test_redrive_sends_what_can_be_read_now_and_marks_it(letters: Line) -> None:
    """A sample from the future is sent once its time has come; a lie stays; nothing goes twice."""
    later = Instant.from_timestamp(FAR)
    first = [r async for r in redrive(letters.log, letters.producer, clock=lambda: later)]
    assert {r.letter.code: r.refusal is None for r in first} == {
        "from_the_future": True,
        "lies_about_cluster": False,
    }
    again = [r async for r in redrive(letters.log, letters.producer, clock=lambda: later)]
    assert [r.letter.code for r in again] == ["lies_about_cluster"]


async def test_redrive_by_code_leaves_the_others_alone(letters: Line) -> None:
    """Only letters with a named code are looked at."""
    codes = frozenset({"lies_about_cluster"})
    looked = [r async for r in redrive(letters.log, letters.producer, codes=codes)]
    assert [(r.letter.code, r.refusal is None) for r in looked] == [("lies_about_cluster", False)]


async def test_what_an_older_worker_refused_is_folded_after_a_redrive(line: Line) -> None:
    """The body goes back on the topic under its cluster's key, and takes effect like any sample."""
    (refused,) = samples(["emea"], slots=1)
    letter = DeadLetter(
        id="1",
        source=f"{SAMPLES_TOPIC}/0@0",
        code="unknown_signals",
        reason="unknown signal list 2",
        body=encode(refused),
        at=Instant.now(),
    )
    await line.log.bury(letter)
    (redriven,) = [r async for r in redrive(line.log, line.producer)]
    assert redriven.refusal is None
    line.sent.append(refused)
    line.start_worker()
    await line.log_holds_everything()
    assert await line.log.dead_letters() == []
