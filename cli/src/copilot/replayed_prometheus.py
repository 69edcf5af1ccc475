"""A recording, served the way a Prometheus would have answered while it was made.

Theory of operation. The scraper asks instant queries with an explicit time. For the installation
named in the recording's header every signal has one query text, so (query, time) leads back to one
recorded reading:

    a number       a vector of one element
    no series      an empty vector: also for a role that did not report
    not a number   a vector holding NaN
    anything else  503: the recorded backend did not answer, so this one does not, either
    a probe        answered as the installation of the recording would have answered it

So the real scraper runs against real HTTP, and reads what was recorded. What it cannot bring back:
a reading that was late in the recording (`timed out`) is read as `scrape failed`, and log lines,
which were counted when they were recorded, are played onto the topic as they are.
"""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final
from urllib.parse import parse_qs

import orjson

from copilot_core.readings import Missing, Reading
from copilot_core.samples import Sample
from copilot_core.signals import DSQL_PROBE, Family, Installation, probes, queries, rate_window_s

INSTANT_QUERY: Final = "/api/v1/query"
MAX_FORM_BYTES: Final = 64 * 1024

Answers = Mapping[tuple[str, int], Reading]
"""(query, slot) to the recorded reading."""


def answers_of(
    samples: Iterable[Sample], installation: Installation, *, scrape_interval_s: int
) -> tuple[dict[tuple[str, int], Reading], dict[str, Reading]]:
    """What each query answers at each slot, and what each probe answers at any time."""
    asked = [(name, q) for name, q in queries(installation, rate_window_s(scrape_interval_s)) if q]
    recorded = {(q, s.slot): s[name] for s in samples for name, q in asked}
    speaks = {installation.server, installation.sdk}
    probed: dict[str, Reading] = {
        query: 1.0 if dialect in speaks else Missing.NO_SERIES
        for family in (Family.SERVER, Family.SDK)
        for dialect, query in probes(family)
    }
    probed[DSQL_PROBE] = 1.0 if installation.dsql else Missing.NO_SERIES
    return recorded, probed


@contextmanager
def serving(
    samples: Iterable[Sample], installation: Installation, *, scrape_interval_s: int
) -> Generator[str]:
    """Serve a recording on a free port of 127.0.0.1 while the block runs; yields the base URL."""
    recorded, probed = answers_of(samples, installation, scrape_interval_s=scrape_interval_s)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # keep-alive: the scraper asks a hundred questions per slot
        wbufsize = -1  # head and body leave together; apart, each answer waits 40 ms for an ACK

        def do_POST(self) -> None:
            length = min(int(self.headers.get("Content-Length", 0)), MAX_FORM_BYTES)
            form = parse_qs(self.rfile.read(length).decode())
            query, at = form.get("query", [""])[0], int(float(form.get("time", ["0"])[0]))
            known = self.path == INSTANT_QUERY and (query in probed or (query, at) in recorded)
            reading = probed.get(query) or recorded.get((query, at), Missing.NO_SERIES)
            self._answer(*(_answer(reading, at) if known else NOT_RECORDED))

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: standard error belongs to the program that is shown."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, name="replayed-prometheus", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


NOT_RECORDED: Final = (
    400,
    b'{"status":"error","errorType":"bad_data","error":"not recorded for this query and time"}',
)


def _answer(reading: Reading, at: int) -> tuple[int, bytes]:
    match reading:
        case Missing.NO_SERIES | Missing.ROLE_SILENT | Missing.NO_SOURCE:
            values: list[object] = []
        case Missing.NOT_A_NUMBER:
            values = [{"metric": {}, "value": [at, "NaN"]}]
        case Missing():
            return (
                503,
                b'{"status":"error","errorType":"unavailable","error":"recorded as not answered"}',
            )
        case number:
            values = [{"metric": {}, "value": [at, repr(number)]}]
    return 200, orjson.dumps(
        {"status": "success", "data": {"resultType": "vector", "result": values}}
    )
