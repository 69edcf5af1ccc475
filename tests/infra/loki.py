"""Loki from the binary that LOKI_BIN names: there is no package of it, and building takes long."""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar, Final

from copilot.embedded.child import free_port
from tests.infra.components import Missing
from tests.infra.process import Server, http_status

_CONFIG: Final = """
auth_enabled: false
server:
  http_listen_address: 127.0.0.1
  http_listen_port: {http}
  grpc_listen_address: 127.0.0.1
  grpc_listen_port: {grpc}
  log_level: warn
common:
  instance_addr: 127.0.0.1
  path_prefix: {home}
  storage:
    filesystem: {{chunks_directory: {home}/chunks, rules_directory: {home}/rules}}
  replication_factor: 1
  ring: {{kvstore: {{store: inmemory}}}}
schema_config:
  configs:
    - from: "2020-01-01"
      store: tsdb
      object_store: filesystem
      schema: v13
      index: {{prefix: index_, period: 24h}}
analytics:
  reporting_enabled: false
"""


def loki_binary() -> Path:
    """The binary that LOKI_BIN names; raises `Missing` when it names none."""
    named = os.environ.get("LOKI_BIN", "")
    if not named:
        raise Missing("Loki: LOKI_BIN names no binary")
    if not os.access(named, os.X_OK):
        raise Missing(f"Loki: LOKI_BIN={named} cannot be run")
    return Path(named)


class Loki(Server):
    """A log store with a folder of its own."""

    starts_within_s: ClassVar[float] = 90.0

    def __init__(self, binary: Path, home: Path) -> None:
        home.mkdir(parents=True, exist_ok=True)
        http, grpc = free_port(), free_port()
        self.url = f"http://127.0.0.1:{http}"
        config = home / "loki.yaml"
        config.write_text(_CONFIG.format(http=http, grpc=grpc, home=home))
        command = (str(binary), f"-config.file={config}")
        super().__init__("Loki", command, home)

    def answers(self) -> bool:
        """Whether Loki says that it is ready."""
        return http_status(f"{self.url}/ready") == 200

    def push(self, labels: dict[str, str], lines: Iterable[tuple[int, str]]) -> None:
        """Store lines (Unix nanoseconds and text, by time) in the stream with these labels.

        Lines must be of the last hour: older ones are answered from disk only, and not there yet.
        """
        values = [[str(at_ns), text] for at_ns, text in lines]
        body = json.dumps({"streams": [{"stream": labels, "values": values}]}).encode()
        request = urllib.request.Request(
            f"{self.url}/loki/api/v1/push",
            data=body,
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert answer.status == 204
