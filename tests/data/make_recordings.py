"""Makes the recordings beside this file from a folder of recorded incidents.

    uv run python -m tests.data.make_recordings FOLDER

FOLDER holds one folder per incident with `metrics.om.gz` (OpenMetrics with timestamps),
`logs.jsonl.gz` (lines by time), `workload.csv` and `truth.json`. Each incident goes through a real
Prometheus and the product's own recorder, every 30 s from its first to its last slot; its log lines
are counted through the log pattern table. Written are

    tests/data/recordings/<id>.jsonl.gz            the recording
    tests/data/recordings/<id>.{truth.json,workload.csv}   as they came
    tests/data/openmetrics/<id>.om.gz              of one incident: the series that the queries name
    tests/data/logs/<id>.jsonl.gz                  of the same: its log lines
    cli/src/copilot/recordings/<id>.jsonl.gz       of the same: the recording that ships

Equal inputs give equal files.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path

from whenever import Instant

from copilot_core.logpatterns import matches
from copilot_core.samples import LogSample
from copilot_core.signals import Installation, queries
from copilot_streams.history import History
from copilot_streams.recorder import record
from copilot_streams.scrapers.backend import Backend, client_for
from copilot_streams.scrapers.loki import Counts, bounded, commonest, excerpt
from copilot_streams.spans import Span, span_of
from tests.infra.components import prometheus_files
from tests.infra.prometheus import Prometheus

DATA = Path(__file__).parent
SHIPPED = DATA.parents[1] / "cli/src/copilot/recordings"

BUNDLED = "o1-workers-stopped"
INCIDENTS = (
    BUNDLED,
    "o2-db-latency",
    "o3-idle",
    "o7-metrics-lost",
    "t1-slots-exhausted",
    "n01-frontend-killed",
    "n02-history-frozen",
    "n03-activities-failing",
    "n04-database-refused",
    "n05-matching-killed",
    "n06-history-killed",
    "n07-matching-metrics-lost",
    "n08-one-worker-killed",
    "n09-load-x5",
    "n10-workers-misrouted",
    "n11-workers-undersized",
    "n12-db-connections",
    "n13-two-at-once",
    "n14-matching-frozen",
    "n15-history-restarting",
    "n16-workflows-failing",
    "n17-mass-delete",
    "n18-throttled",
    "n19-host-overloaded",
    "n20-activities-slower",
)

STEP_S = 30
SCRAPE_INTERVAL_S = 10


def span_of_incident(truth: Path) -> Span:
    """The slots that lie in an incident's window."""
    first_ms, last_ms = json.loads(truth.read_text())["window_ms"]
    return span_of(first_ms / 1000, last_ms / 1000, STEP_S)


async def log_samples(logs: Path, span: Span, *, cluster: str) -> AsyncIterator[LogSample]:
    """The log sample of every slot: lines of `(slot - step, slot]`, counted as Loki would."""
    counts: dict[int, Counts] = {slot: {} for slot in span}
    lines: dict[tuple[int, str, str], str] = {}
    for at, service, line in _log_lines(logs):
        slot = -int(-at // span.step_s) * span.step_s
        for pattern_id in matches(line) if slot in counts else ():
            by_pattern = counts[slot].setdefault(service, {})
            by_pattern[pattern_id] = by_pattern.get(pattern_id, 0) + 1
            lines[slot, service, pattern_id] = line  # the newest one, as the scraper asks for it
    for slot in span:
        seen = counts[slot]
        yield LogSample(
            cluster=cluster,
            slot=slot,
            interval_s=span.step_s,
            counts=bounded(seen),
            excerpts=tuple(
                excerpt(service, pattern_id, lines[slot, service, pattern_id])
                for service, pattern_id in commonest(seen)
            ),
        )


def _log_lines(logs: Path) -> Iterator[tuple[float, str, str]]:
    """Unix time, service and raw text of every line; of equal lines one, as Loki keeps them."""
    with gzip.open(logs, "rt") as text:
        for line in dict.fromkeys(raw.rstrip("\n") for raw in text):
            fields = json.loads(line)
            at = Instant.parse_iso(fields["ts"]).timestamp(unit="millisecond") / 1000
            yield at, fields["service"], line


def reduced(openmetrics: Iterable[bytes], installation: Installation) -> Iterator[bytes]:
    """The lines of an OpenMetrics text whose metric a query of the signal table names."""
    named = set[str]()
    for _, query in queries(installation, 60):
        named.update(re.findall(r"[a-z_][a-z0-9_]*", query or ""))
    for line in openmetrics:
        if line.startswith(b"#") or re.split(rb"[{ ]", line, maxsplit=1)[0].decode() in named:
            yield line


async def record_incident(prometheus: str, folder: Path, out: Path) -> None:
    """Record one incident, served by a Prometheus, with the counted log lines of its folder."""
    cluster = folder.name
    span = span_of_incident(folder / "truth.json")
    async with client_for(prometheus) as client:
        history = History(
            Backend(client, timeout_s=60.0, max_bytes=16 * 1024 * 1024),
            span,
            cluster=cluster,
            scrape_interval_s=SCRAPE_INTERVAL_S,
        )
        await record(
            history,
            out,
            source=f"incident {cluster} of a real cluster, Temporal 1.32.1",
            logs=log_samples(folder / "logs.jsonl.gz", span, cluster=cluster),
        )


def _make(folder: Path) -> None:
    recordings = DATA / "recordings"
    recordings.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as home,
        Prometheus(
            prometheus_files(), Path(home), recording=folder / "metrics.om.gz"
        ) as prometheus,
    ):
        out = recordings / f"{folder.name}.jsonl.gz"
        asyncio.run(record_incident(prometheus.url, folder, out))
    for name in ("truth.json", "workload.csv"):
        shutil.copyfile(folder / name, recordings / f"{folder.name}.{name}")


def _bundle(folder: Path) -> None:
    """What one incident gives beside its recording."""
    for part in (DATA / "openmetrics", DATA / "logs", SHIPPED):
        part.mkdir(parents=True, exist_ok=True)
    name = f"{folder.name}.jsonl.gz"
    shutil.copyfile(DATA / "recordings" / name, SHIPPED / name)
    shutil.copyfile(folder / "logs.jsonl.gz", DATA / "logs" / name)
    with gzip.open(DATA / "recordings" / name) as recording:
        spoken = json.loads(recording.readline())["installation"]
    target = DATA / "openmetrics" / f"{folder.name}.om.gz"
    with (
        gzip.open(folder / "metrics.om.gz") as full,
        target.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as packed,
    ):
        packed.writelines(reduced(full, Installation(**spoken)))


def main(folder: Path) -> None:
    """Make everything."""
    for incident in INCIDENTS:
        _make(folder / incident)
    _bundle(folder / BUNDLED)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
