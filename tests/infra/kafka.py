"""Apache Kafka as one KRaft process: broker and controller on two ports of 127.0.0.1.

The data directory is never formatted with Kafka's tool: a hand-written `meta.properties` is all
that a first start needs, and it saves one JVM start (1-2 s). Topics are never created by accident
(`auto.create.topics.enable=false`), so that a mistyped name fails instead of hanging. A broker
killed with `kill -9` may register again only when its old session has expired; 3 s instead of
Kafka's 9 s make crash tests that much shorter.
"""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING, ClassVar

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from copilot.embedded.child import free_port
from tests.infra.components import FILES, KafkaFiles
from tests.infra.process import Server, ServerFailed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_IDENTITY = """\
version=1
node.id=1
cluster.id=AAAAAAAAAAAAAAAAAAAAAQ
directory.id=D3E2dLqP4TJGMZBcL-tp8Q
"""

_SERVER = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{broker}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
num.partitions=4
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=3000
"""

# Serial collector and first-tier compiler: a test broker lives for minutes, so starting fast
# (1.5-1.9 s instead of 4.3-5.7 s) is worth more than running fast.
_JVM_FLAGS = ("-Xmx384m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")

_METADATA_REQUEST = struct.pack(">hhih5si", 3, 1, 1, 5, b"ready", -1)  # version 1, all topics


class Kafka(Server):
    """A broker and its topics.

    `record_classes` makes the run write the class-data archive when it ends (setup does that once).
    """

    starts_within_s: ClassVar[float] = 90.0

    def __init__(self, files: KafkaFiles, home: Path, *, record_classes: bool = False) -> None:
        self._port = free_port()
        data = home / "data"
        data.mkdir(parents=True)
        (data / "meta.properties").write_text(_IDENTITY)
        config = home / "server.properties"
        config.write_text(_SERVER.format(broker=self._port, controller=free_port(), data=data))
        archive = (
            (f"-XX:ArchiveClassesAtExit={files.archive}",)
            if record_classes
            else (f"-XX:SharedArchiveFile={files.archive}", "-Xshare:auto")
        )
        command = (
            str(files.java),
            *_JVM_FLAGS,
            *archive,
            f"-Dlog4j2.configurationFile={FILES / 'log4j2.yaml'}",
            "-cp",
            f"{files.libs}/*",
            "kafka.Kafka",
            str(config),
        )
        super().__init__("Kafka", command, home)

    @property
    def bootstrap(self) -> str:
        """`host:port`, as clients take it; the same for the whole life of this object."""
        return f"127.0.0.1:{self._port}"

    def answers(self) -> bool:
        """Whether the broker names itself in an answer to a Metadata request.

        An open port is not enough: after `kill -9` the broker listens long before it can answer.
        """
        try:
            with socket.create_connection(("127.0.0.1", self._port), timeout=2) as connection:
                connection.sendall(struct.pack(">i", len(_METADATA_REQUEST)) + _METADATA_REQUEST)
                answer = connection.recv(12)  # length, correlation id, number of brokers
        except OSError:
            return False
        return len(answer) == 12 and struct.unpack(">iii", answer)[2] >= 1

    async def create_topics(self, topics: Mapping[str, int], *, within_s: float = 20.0) -> None:
        """Create topics (name → number of partitions); raises ServerFailed when Kafka refuses."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap, client_id="tests")
        await admin.start()
        try:
            answer = await admin.create_topics(
                [NewTopic(name, partitions, 1) for name, partitions in topics.items()],
                timeout_ms=int(within_s * 1_000),
            )
        finally:
            await admin.close()
        # The client reports refusals in the answer and raises nothing.
        refused = [
            error for error in answer.to_object()["topic_errors"] if error["error_code"] != 0
        ]
        if refused:
            raise ServerFailed(f"Kafka did not create {refused}")
