"""The Temporal server as one process: four services on 127.0.0.1, its stores in memory or a file.

What a test gives is the dynamic config; the rest is the least that a server runs on. `default` is
there as a namespace. The log is JSON, a line an event. It cannot be without warnings: the worker
service asks the frontend of its own process for capabilities before that one is healthy, and at the
end pollers lose their connections. What the server finds wrong while it serves is in `warnings()`,
what it finds wrong with its dynamic config, at any time, in `dynamic_config_warnings()`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from copilot.embedded.child import free_port
from tests.infra.process import Server, http_status

if TYPE_CHECKING:
    from pathlib import Path

NAMESPACE: Final = "default"

# Four shards instead of hundreds: each is acquired at the start. One SQLite connection, because
# every connection to a private in-memory database is a database of its own.
_CONFIG: Final = """\
log: {{stdout: true, level: info, format: json}}
persistence:
  defaultStore: memory
  visibilityStore: memory
  numHistoryShards: 4
  datastores:
    memory:
      sql:
        pluginName: sqlite
        databaseName: {database}
        connectAddr: localhost
        connectProtocol: tcp
        connectAttributes: {attributes}
        maxConns: 1
        maxIdleConns: 1
global:
  membership: {{maxJoinDuration: 30s, broadcastAddress: 127.0.0.1}}
  metrics: {{prometheus: {{listenAddress: "127.0.0.1:{metrics}", timerType: histogram}}}}
services:
  frontend:
    rpc: {{bindOnIP: 127.0.0.1, grpcPort: {grpc}, httpPort: {http}, membershipPort: {p[0]}}}
  history:
    rpc: {{bindOnIP: 127.0.0.1, grpcPort: {p[1]}, membershipPort: {p[2]}}}
  matching:
    rpc: {{bindOnIP: 127.0.0.1, grpcPort: {p[3]}, membershipPort: {p[4]}}}
  worker:
    rpc: {{bindOnIP: 127.0.0.1, grpcPort: {p[5]}, membershipPort: {p[6]}}}
clusterMetadata:
  enableGlobalNamespace: false
  failoverVersionIncrement: 10
  masterClusterName: active
  currentClusterName: active
  clusterInformation:
    active:
      enabled: true
      initialFailoverVersion: 1
      rpcName: frontend
      rpcAddress: 127.0.0.1:{grpc}
publicClient: {{hostPort: "127.0.0.1:{grpc}"}}
dynamicConfigClient: {{filepath: {dynamic_config}, pollInterval: {poll_interval_s}s}}
"""

_IN_MEMORY: Final = {"mode": "memory", "cache": "private"}
_IN_A_FILE: Final = {"mode": "rwc", "cache": "private", "setup": "true"}
"""`setup` makes the tables; where they are there already it says so and goes on."""

_NEW_NAMESPACE: Final = json.dumps(
    {"namespace": NAMESPACE, "workflowExecutionRetentionPeriod": "86400s"}
).encode()

POLL_INTERVAL_S: Final = 5
"""How often the server looks whether its dynamic config changed; it takes nothing below 5 s."""


class Temporal(Server):
    """A server that reads one dynamic-config file.

    Its data end with it, or lie in a file of `home` when they are `kept`.
    """

    def __init__(
        self, binary: Path, home: Path, *, dynamic_config: Path, kept: bool = False
    ) -> None:
        self._grpc, self._http, self._metrics, *rest = _free_ports(10)
        config = home / "server.yaml"
        config.write_text(
            _CONFIG.format(
                grpc=self._grpc,
                http=self._http,
                metrics=self._metrics,
                p=rest,
                database=json.dumps(str(home / "temporal.db") if kept else "temporal"),
                attributes=json.dumps(_IN_A_FILE if kept else _IN_MEMORY),
                dynamic_config=json.dumps(str(dynamic_config.resolve())),
                poll_interval_s=POLL_INTERVAL_S,
            )
        )
        command = (str(binary), "--config-file", str(config), "--allow-no-auth", "start")
        super().__init__("Temporal", command, home)
        self._began = 0

    @property
    def address(self) -> str:
        """`host:port` of the frontend, as clients take it."""
        return f"127.0.0.1:{self._grpc}"

    @property
    def url(self) -> str:
        """The base address of the frontend's HTTP API, without a slash at the end."""
        return f"http://127.0.0.1:{self._http}"

    @property
    def metrics(self) -> str:
        """`host:port` where the server's own metrics are, for Prometheus."""
        return f"127.0.0.1:{self._metrics}"

    def start(self) -> None:
        """Start; `warnings()` begin anew when it answers."""
        super().start()
        self._began = len(self.log_lines())

    def answers(self) -> bool:
        """Whether `default` can be used: frontend, visibility, history, matching did their part."""
        of_namespace = f"/api/v1/namespaces/{NAMESPACE}"
        asked = (
            ("/api/v1/namespaces", _NEW_NAMESPACE, {200, 409}),  # 409: it exists already
            (f"{of_namespace}/workflows", None, {200}),
            (f"{of_namespace}/workflows/nothing", None, {404}),  # only its shard knows that
            (f"{of_namespace}/task-queues/nothing", None, {200}),
        )
        return all(http_status(f"{self.url}{path}", body) in codes for path, body, codes in asked)

    def log_lines(self) -> list[dict[str, object]]:
        """What the server logged so far, oldest first.

        Left out: a line that is being written, and plain text, which the server prints before its
        logger exists and as its last words.
        """
        text = self.log.read_text()
        whole = text[: text.rfind("\n") + 1].splitlines()
        return [json.loads(line) for line in whole if line.startswith("{")]

    def warnings(self) -> list[dict[str, object]]:
        """Log lines above `info` since the server could be used; ask before it is stopped."""
        return [line for line in self.log_lines()[self._began :] if line["level"] != "info"]

    def dynamic_config_warnings(self) -> list[dict[str, object]]:
        """Log lines above `info` that the reading of dynamic config wrote, from the very start."""
        return [
            line
            for line in self.log_lines()
            if line["level"] != "info" and "/dynamicconfig/" in str(line["logging-call-at"])
        ]


def _free_ports(count: int) -> list[int]:
    """Different free ports."""
    ports: set[int] = set()
    while len(ports) < count:
        ports.add(free_port())
    return sorted(ports)
