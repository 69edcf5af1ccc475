"""What comes out of the line: the public events topic, and the answers of the API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final
from uuid import UUID

import httpx
import orjson
from aiokafka import AIOKafkaConsumer
from whenever import Instant

from copilot_core.errors import Unavailable
from copilot_core.events import Causation, RecordedEvent
from copilot_core.samples import EVENTS_TOPIC
from copilot_streams.kafka import KafkaSettings

POLL_S: Final = 0.2
ANSWER_TIMEOUT_S: Final = 5.0


def event_of(body: bytes) -> RecordedEvent:
    """Read a message of the public events topic back into the event it carries."""
    told: dict[str, Any] = orjson.loads(body)
    cause = told["causation"]
    return RecordedEvent(
        shard=told["shard"],
        position=told["position"],
        stream=told["stream"],
        version=told["version"],
        event_id=UUID(told["event_id"]),
        type=told["type"],
        schema_version=told["schema_version"],
        occurred_at=Instant.parse_iso(told["occurred_at"]),
        recorded_at=Instant.parse_iso(told["recorded_at"]),
        payload=orjson.dumps(told["data"], option=orjson.OPT_SORT_KEYS),
        causation=None if cause is None else Causation(**cause),
    )


@asynccontextmanager
async def published(kafka: KafkaSettings) -> AsyncGenerator[AsyncIterator[RecordedEvent]]:
    """Every event on the public topic from its beginning, each once, as a consumer would do it."""
    consumer = AIOKafkaConsumer(
        EVENTS_TOPIC, **kafka.client_options(), auto_offset_reset="earliest", group_id=None
    )
    await consumer.start()
    try:
        yield _once(consumer)
    finally:
        await consumer.stop()


async def _once(consumer: AIOKafkaConsumer) -> AsyncIterator[RecordedEvent]:
    last: dict[str, int] = {}
    async for message in consumer:
        event = event_of(message.value)
        if event.version > last.get(event.stream, 0):  # at least once: a repetition is dropped
            last[event.stream] = event.version
            yield event


class Api:
    """The API of the demo, asked until it knows what it should."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._client = httpx.AsyncClient(base_url=url, timeout=ANSWER_TIMEOUT_S, trust_env=False)

    async def close(self) -> None:
        """Give the connections back."""
        await self._client.aclose()

    async def ready(self, within_s: float) -> None:
        """Wait until the API answers that it is ready; raises `Unavailable` when it does not."""
        await self._until(lambda: self._get("/readyz"), within_s=within_s, what="is not ready")

    async def status_of_slot(self, cluster: str, slot: int, within_s: float) -> dict[str, Any]:
        """The status of a cluster, once the read models have come to a slot."""

        async def asked() -> dict[str, Any] | None:
            status = await self._get(f"/v1/clusters/{cluster}/status")
            return status if status and status["at_ms"] >= slot * 1000 else None

        return await self._until(asked, within_s=within_s, what=f"does not know slot {slot}")

    async def incidents(self, cluster: str, first: int, last: int) -> list[dict[str, Any]]:
        """The incidents of a cluster that touch a span of slots."""
        span = {"from": str(first), "to": str(last + 1)}
        return await self._get(f"/v1/clusters/{cluster}/incidents", params=span) or []

    async def _get(self, path: str, **options: Any) -> Any:
        """The JSON answer, or None while there is none."""
        try:
            answer = await self._client.get(path, **options)
        except httpx.TransportError:
            return None
        return answer.json() if answer.is_success else None

    async def _until(
        self, asked: Callable[[], Awaitable[Any]], *, within_s: float, what: str
    ) -> Any:
        try:
            async with asyncio.timeout(within_s):
                while not (answer := await asked()):  # noqa: ASYNC110  it is another process
                    await asyncio.sleep(POLL_S)
        except TimeoutError as e:
            raise Unavailable(f"the API {what} after {within_s:.0f} s", where=self.url) from e
        return answer
