"""Messages that will never be folded: kept with their reason, and put back when the reason is gone.

A refused message goes to the dead-letter topic (for whoever consumes it) and into the log (for
`copilot dead list`); only then does the worker move past it. Both may happen twice when a worker
dies in between: the id is made of the message's place, so the log keeps one letter.

    headers of the dead-letter topic: code, reason, source, at
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from prometheus_client import CollectorRegistry, Counter
from whenever import Instant

from copilot_core.errors import Rejected, Unavailable
from copilot_core.guarding.guard import Sink, guard
from copilot_core.samples import DEAD_LETTER_TOPIC, MAX_MESSAGE_BYTES, SAMPLES_TOPIC, decode
from copilot_eventlog.protocol import DeadLetter, EventLog
from copilot_streams.worker.shard import Message, Refused

PAGE: Final = 100
MAX_REASON_CHARACTERS: Final = 500

log_ = structlog.get_logger(__name__)


class DeadLetters:
    """Where refused messages go."""

    def __init__(
        self,
        log: EventLog,
        producer: AIOKafkaProducer,
        registry: CollectorRegistry,
        *,
        clock: Callable[[], Instant] = Instant.now,
    ) -> None:
        self._log = log
        self._producer = producer
        self._clock = clock
        self._refused = Counter(
            "copilot_dead_letters_total",
            "Messages refused, by reason code",
            ["code"],
            registry=registry,
        )

    async def refuse(self, refused: Refused) -> None:
        """Put a message on the dead-letter topic and into the log; returns when both have it.

        Raises `Unavailable` when Kafka or the log does not take it; then it may be called again.
        """
        letter = letter_of(refused, at=self._clock())
        message = refused.message
        log_.warning("refused", source=letter.source, code=letter.code, reason=letter.reason)
        await self._publish(letter, key=message.key, body=message.value)
        await self._log.bury(letter)
        self._refused.labels(letter.code).inc()

    async def lost(self, *, source: str, topic: str, partition: int, first: int, last: int) -> None:
        """Record that messages were gone from the broker before anybody could read them."""
        error = Rejected(
            f"offsets {first} to {last} were deleted by retention before they were read",
            code="lost_by_retention",
            todo="a worker has to run at least once per retention period",
        )
        nothing = Message(offset=first, key=None, value=None)
        await self.refuse(Refused(source, topic, partition, nothing, error))

    async def _publish(self, letter: DeadLetter, *, key: bytes | None, body: bytes | None) -> None:
        headers = [
            ("code", letter.code.encode()),
            ("reason", letter.reason.encode()),
            ("source", letter.source.encode()),
            ("at", letter.at.format_iso().encode()),
        ]
        if body is None and key is None:
            body = b""  # the client refuses to send a message of nothing, which others can send
        try:
            await self._producer.send_and_wait(
                DEAD_LETTER_TOPIC, value=body, key=key, headers=headers
            )
        except KafkaError as e:
            raise Unavailable(
                f"dead letter not taken: {type(e).__name__}: {e}", where=DEAD_LETTER_TOPIC
            ) from e


def letter_of(refused: Refused, *, at: Instant) -> DeadLetter:
    """The dead letter of a refused message: the same place has the same id."""
    place = f"{refused.topic}/{refused.partition}@{refused.message.offset}"
    life = hashlib.sha256(refused.source.encode()).hexdigest()[:8]
    return DeadLetter(
        id=f"{refused.topic}/{refused.partition}/{life}/{refused.message.offset:020d}",
        source=place,
        code=refused.error.code,
        reason=guard(refused.error.what, Sink.EVENT, limit=MAX_REASON_CHARACTERS),
        body=refused.message.value or b"",
        at=at,
    )


# --- redrive ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Redriven:
    """What became of one letter: `refusal` is None when it is on its way again."""

    letter: DeadLetter
    refusal: Rejected | None


async def redrive(
    log: EventLog,
    producer: AIOKafkaProducer,
    *,
    codes: frozenset[str] = frozenset(),
    ids: frozenset[str] = frozenset(),
    clock: Callable[[], Instant] = Instant.now,
) -> AsyncIterator[Redriven]:
    """Put dead letters back on the samples topic; yields what became of each one looked at.

    With `codes` or `ids` only letters with one of them are looked at. A letter is sent when this
    program can read it now (a newer version, a clock that caught up); one that would be refused
    again stays where it is. Sent first and marked afterwards: a crash in between sends it twice,
    which the fold takes as a duplicate. Raises `Unavailable` when Kafka or the log is away.
    """
    async for letter in waiting(log):
        if (codes and letter.code not in codes) or (ids and letter.id not in ids):
            continue
        try:
            key = _key_of(letter, now=clock())
        except Rejected as e:
            yield Redriven(letter, e)
            continue
        try:
            await producer.send_and_wait(SAMPLES_TOPIC, value=letter.body, key=key)
        except KafkaError as e:
            raise Unavailable(f"{type(e).__name__}: {e}", where=SAMPLES_TOPIC) from e
        await log.mark_redriven(letter.id, clock())
        yield Redriven(letter, None)


async def waiting(log: EventLog) -> AsyncIterator[DeadLetter]:
    """All dead letters of the samples topic that were not redriven yet, by id."""
    after = ""
    while page := await log.dead_letters(after_id=after, limit=PAGE):
        for letter in page:
            if letter.source.startswith(f"{SAMPLES_TOPIC}/"):
                yield letter
        after = page[-1].id


def _key_of(letter: DeadLetter, *, now: Instant) -> bytes:
    """The Kafka key to send a letter with: the cluster it is about. Raises `Rejected`."""
    if letter.code == "lies_about_cluster":
        raise Rejected(
            "its key and its body named different clusters; nobody can say which one is true",
            code=letter.code,
            where=letter.id,
        )
    if len(letter.body) >= MAX_MESSAGE_BYTES:
        raise Rejected("the letter keeps only the first 64 kB", code="too_large", where=letter.id)
    return decode(letter.body, received_at=now).cluster.encode()
