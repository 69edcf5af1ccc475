"""Prometheus over a recording: OpenMetrics text with timestamps, turned into blocks, then served;
and one that scrapes.

Turning 300 MB of text into blocks takes most of a minute, so the blocks are kept in the cache under
the digest of the recording, and every server gets hard links to them in a folder of its own.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from copilot.embedded.child import free_port
from tests.infra.components import CACHE, PrometheusFiles
from tests.infra.process import Server, http_status

SCRAPE_INTERVAL_S: Final = 3
"""Of a server that scrapes; also how long it waits for an answer, on a machine that may be busy."""

_BLOCKS = CACHE / "prometheus-blocks"


def blocks_of(files: PrometheusFiles, recording: Path) -> Path:
    """The folder with the blocks of a gzip-compressed OpenMetrics file; made when not cached."""
    digest = hashlib.sha256(recording.read_bytes()).hexdigest()[:16]
    blocks = _BLOCKS / digest
    if blocks.exists():
        return blocks
    # Two test runs may do this at once: each works in a folder of its own, the first rename wins.
    work = _BLOCKS / f"{digest}.{os.getpid()}"
    work.mkdir(parents=True)
    try:
        text = work / "metrics.om"
        with gzip.open(recording) as packed, text.open("wb") as plain:
            shutil.copyfileobj(packed, plain)
        subprocess.run(
            [files.promtool, "tsdb", "create-blocks-from", "openmetrics", text, work / "blocks"],
            capture_output=True,
            check=True,
        )
        if not blocks.exists():
            (work / "blocks").rename(blocks)
    finally:
        shutil.rmtree(work)
    return blocks


class _Listening(Server):
    """A Prometheus, whatever it knows."""

    def __init__(self, home: Path, *command: str) -> None:
        self._port = free_port()
        address = f"--web.listen-address=127.0.0.1:{self._port}"
        super().__init__("Prometheus", (*command, address), home)

    @property
    def url(self) -> str:
        """The base address, without a slash at the end."""
        return f"http://127.0.0.1:{self._port}"

    def answers(self) -> bool:
        """Whether Prometheus says that it is ready."""
        return http_status(f"{self.url}/-/ready") == 200


class Prometheus(_Listening):
    """A server over the blocks of one recording; scrapes nothing."""

    def __init__(self, files: PrometheusFiles, home: Path, *, recording: Path) -> None:
        data = home / "data"
        shutil.copytree(blocks_of(files, recording), data, copy_function=os.link)
        config = home / "prometheus.yml"
        config.write_text("global: {}\n")
        super().__init__(
            home,
            str(files.prometheus),
            f"--config.file={config}",
            f"--storage.tsdb.path={data}",
            "--storage.tsdb.retention.time=20y",
            # The text format carries no staleness markers: with the default of 5 min a gauge would
            # outlive its target by 5 min, which it did not on the server that was recorded.
            "--query.lookback-delta=20s",
        )


class ScrapingPrometheus(_Listening):
    """A server that scrapes: `targets` are `host:port` by the name of their job."""

    def __init__(self, files: PrometheusFiles, home: Path, *, targets: Mapping[str, str]) -> None:
        home.mkdir()
        config = home / "prometheus.yml"
        jobs = [
            {"job_name": job, "static_configs": [{"targets": [target]}]}
            for job, target in targets.items()
        ]
        every = f"{SCRAPE_INTERVAL_S}s"
        scrape = {"scrape_interval": every, "scrape_timeout": every}
        config.write_text(json.dumps({"global": scrape, "scrape_configs": jobs}))  # JSON is YAML
        super().__init__(
            home,
            str(files.prometheus),
            f"--config.file={config}",
            f"--storage.tsdb.path={home / 'data'}",
        )
