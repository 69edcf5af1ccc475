"""`copilot db`, `log`, `views`, `dead` and `status` against a real database."""

from __future__ import annotations

import asyncio
import gzip
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import httpx
import orjson
import pytest
from whenever import Instant

from copilot.embedded.broker import EmbeddedBroker
from copilot.embedded.child import free_port
from copilot_core.events import Digest, NewEvent
from copilot_core.readings import Missing
from copilot_core.rules import RulePack
from copilot_core.samples import SAMPLES_TOPIC, all_missing, encode
from copilot_eventlog.postgres import open_log
from copilot_eventlog.protocol import DeadLetter
from copilot_projections.views import VIEWS
from tests.integration.cli.conftest import settings_of
from tests.unit.cli.conftest import Copilot

CLUSTER = "o1-workers-stopped"
SEEN = ("SampleRecorded", "LogSampleRecorded")
WITHIN_S = 30.0


def digest_of(events: list[NewEvent]) -> str:
    """The digest that a log of these events has."""
    digest = Digest()
    digest.add_all(events)
    return digest.hexdigest()


# --- db -----------------------------------------------------------------------------------------


def test_tables_are_made_once_and_checked(empty_log: str, copilot: Copilot) -> None:
    """`check` names what is missing with exit 2; `apply` makes it; both agree afterwards."""
    missing = copilot("db", "check", "--json")
    assert missing.code == 2
    assert {r["state"] for r in missing.records} == {"missing"}
    assert copilot("db", "apply").code == 0
    assert copilot("db", "apply").code == 0
    present = copilot("db", "check", "--json")
    assert present.code == 0
    assert {r["state"] for r in present.records} == {"present"}


def test_a_table_that_was_changed_by_hand_is_found(empty_log: str, copilot: Copilot) -> None:
    """A column too many is a difference, named, and nothing is altered."""
    copilot("db", "apply")

    async def meddle() -> None:
        con = await asyncpg.connect(empty_log)
        await con.execute("ALTER TABLE es_event ADD COLUMN surprise text")
        await con.close()

    asyncio.run(meddle())
    called = copilot("db", "check")
    assert called.code == 2
    assert "surprise" in called.err


# --- log ----------------------------------------------------------------------------------------


def test_a_sound_log_verifies_and_folds_to_the_same_digest(
    filled_log: list[NewEvent], copilot: Copilot
) -> None:
    """`verify` and `refold` read all of it, and know the digest that the events have."""
    verified = copilot("log", "verify", "--json")
    assert verified.code == 0
    assert verified.records[0]["digest"] == digest_of(filled_log)
    assert verified.records[0]["events"] == len(filled_log)
    refolded = copilot("log", "refold", "--json")
    assert refolded.code == 0
    assert refolded.records[0]["digest"] == refolded.records[0]["refold_digest"]
    assert copilot("log", "refold").code == 0
    assert copilot("log", "verify").code == 0


def test_other_rules_fold_to_other_decisions(
    filled_log: list[NewEvent], copilot: Copilot, tmp_path: Path
) -> None:
    """`refold` with rules that the log was not decided with, given for all clusters or for this
    one in the clusters file, exits with 3 and names both."""
    overlay = tmp_path / "overlay.toml"
    overlay.write_text("[gates.waiting]\nall = 31\n")
    clusters = tmp_path / "clusters.toml"
    clusters.write_text(
        f'[[cluster]]\nid = "{CLUSTER}"\nrules = "overlay.toml"\n'
        '[cluster.prometheus]\nurl = "http://prometheus:9090"\n'
    )
    for option, path in (("--rules", overlay), ("--clusters", clusters)):
        called = copilot("log", "refold", option, path, "--cluster", CLUSTER)
        assert called.code == 3
        assert RulePack.default().digest in called.err


def test_a_deleted_event_is_found(
    filled_log: list[NewEvent], empty_log: str, copilot: Copilot
) -> None:
    """A hole in the log is a defect: `verify` exits with 70 and says where."""

    async def meddle() -> None:
        con = await asyncpg.connect(empty_log)
        await con.execute("DELETE FROM es_event WHERE pos = 7")
        await con.close()

    asyncio.run(meddle())
    called = copilot("log", "verify", "--json")
    assert called.code == 70
    assert "position 8" in called.records[0]["findings"][0]


def test_show_gives_the_decisions_about_a_cluster_in_event_time(
    filled_log: list[NewEvent], copilot: Copilot
) -> None:
    """All decisions without a span; those inside one with it; what was seen with --all."""
    everything = copilot("log", "show", "--cluster", CLUSTER, "--all", "--json").records
    assert len(everything) == len(filled_log)
    assert [r["at"] for r in everything] == sorted(r["at"] for r in everything)
    decisions = copilot("log", "show", "--cluster", CLUSTER, "--json").records
    assert decisions == [r for r in everything if r["type"] not in SEEN]
    span = ("--from", "2026-11-22T17:11:00Z", "--to", "2026-11-22T17:12:30Z")
    inside = copilot("log", "show", "--cluster", CLUSTER, *span, "--json").records
    assert inside == [
        r for r in decisions if "2026-11-22T17:11:00Z" <= r["at"] <= "2026-11-22T17:12:30Z"
    ]
    assert (
        copilot("log", "show", "--cluster", CLUSTER, "-n", "3", "--json").records == decisions[:3]
    )
    assert "stressed → critical" in copilot("log", "show", "--cluster", CLUSTER).out


def test_tail_gives_the_latest(filled_log: list[NewEvent], copilot: Copilot) -> None:
    """The last decisions, oldest first."""
    decisions = copilot("log", "show", "--cluster", CLUSTER, "--json").records
    tail = copilot("log", "tail", "-n", "5", "--json").records
    assert len(tail) == 5
    assert all(record in decisions for record in tail)
    assert tail[-1]["at"] == decisions[-1]["at"]


def test_export_holds_every_event_with_its_envelope(
    filled_log: list[NewEvent], copilot: Copilot, tmp_path: Path
) -> None:
    """One line per event; the payload is the bytes that were recorded."""
    out = tmp_path / "log.jsonl.gz"
    assert copilot("log", "export", "--out", out).code == 0
    lines = [orjson.loads(line) for line in gzip.decompress(out.read_bytes()).splitlines()]
    assert [line["event_id"] for line in lines] == [str(e.event_id) for e in filled_log]
    assert [orjson.dumps(line["data"]) for line in lines] == [e.payload for e in filled_log]


def test_a_database_that_is_away_is_75_and_one_message(
    copilot: Copilot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No traceback, no flood of retries: what does not answer, and what to do."""
    monkeypatch.setenv("COPILOT_LOG_DSN", f"postgresql://x@127.0.0.1:{free_port()}/x")
    called = copilot("log", "tail")
    assert called.code == 75
    assert len(called.err.splitlines()) <= 2


# --- views --------------------------------------------------------------------------------------


def test_a_view_is_rebuilt_compared_flipped_rolled_back_and_dropped(
    filled_log: list[NewEvent], copilot: Copilot
) -> None:
    """The way of a rebuild: nothing in place, the former build kept until it is dropped."""

    def builds() -> dict[str, str]:
        return {r["build"]: r["status"] for r in copilot("views", "list", "--json").records}

    first = copilot("views", "rebuild", "timeline", "--flip", "--json").records[0]
    assert first["shown"]
    assert first["events"] == len(filled_log)
    second = copilot("views", "rebuild", "timeline", "--json").records[0]
    assert second["compared_with"] == first["build"]
    assert second["differences"] == []
    assert builds() == {first["build"]: "live", second["build"]: "building"}
    assert copilot("views", "flip", "timeline", second["build"]).code == 0
    assert builds() == {first["build"]: "kept", second["build"]: "live"}
    assert copilot("views", "rollback", "timeline").code == 0
    assert builds() == {first["build"]: "live", second["build"]: "kept"}
    assert copilot("views", "drop", "timeline", first["build"]).code == 2, "the live one stays"
    assert copilot("views", "drop", "timeline", second["build"]).code == 0
    assert builds() == {first["build"]: "live", second["build"]: "dropped"}


def test_an_unknown_view_is_refused_with_the_names(copilot: Copilot) -> None:
    """Exit 2, and the names there are."""
    called = copilot("views", "rebuild", "nonsense")
    assert called.code == 2
    assert "timeline" in called.err


# --- dead ---------------------------------------------------------------------------------------


async def test_a_letter_that_can_be_read_now_is_sent_again(
    filled_log: list[NewEvent],
    empty_log: str,
    copilot: Copilot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`redrive` sends what this version reads, keeps what it would refuse, and says which."""
    good = encode(
        all_missing(
            Missing.NO_SAMPLE, cluster="orders", slot=1_795_367_070, interval_s=30, source="t"
        )
    )
    log = await open_log(settings_of(empty_log))
    for number, body in enumerate((good, b"still nonsense")):
        letter = DeadLetter(
            id=f"{SAMPLES_TOPIC}/0/aa/{number}", source=f"{SAMPLES_TOPIC}/0@{number}",
            code="from_the_future", reason="too early", body=body, at=Instant.now(),
        )  # fmt: skip
        await log.bury(letter)
    await log.close()
    listed = await asyncio.to_thread(copilot, "dead", "list", "--json")
    assert [r["code"] for r in listed.records] == ["from_the_future"] * 2
    async with EmbeddedBroker({SAMPLES_TOPIC: 1}) as broker:
        monkeypatch.setenv("COPILOT_KAFKA_BOOTSTRAP", broker.bootstrap)
        monkeypatch.setenv("COPILOT_KAFKA_IDEMPOTENT", "false")
        called = await asyncio.to_thread(
            copilot, "dead", "redrive", "--code", "from_the_future", "--json"
        )
    assert [r["result"] for r in called.records] == ["sent", "kept"]
    left = await asyncio.to_thread(copilot, "dead", "list", "--json")
    assert [r["id"] for r in left.records] == [f"{SAMPLES_TOPIC}/0/aa/1"]


# --- status -------------------------------------------------------------------------------------


@pytest.fixture
def api(filled_log: list[NewEvent], copilot: Copilot) -> Iterator[str]:
    """The address of `copilot run api` over read models of the incident."""
    for view in VIEWS:
        assert copilot("views", "rebuild", view, "--flip").code == 0
    url = f"http://127.0.0.1:{free_port()}"
    env = {**os.environ, "COPILOT_API_PORT": url.rpartition(":")[2]}
    process = subprocess.Popen([sys.executable, "-m", "copilot.main", "run", "api"], env=env)
    try:
        ends = time.monotonic() + WITHIN_S
        while time.monotonic() < ends and not _ready(url):
            time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        assert process.wait(timeout=WITHIN_S) == 0


def _ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", trust_env=False).is_success
    except httpx.TransportError:
        return False


def test_status_tells_what_is_believed_and_what_was(
    api: str, copilot: Copilot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All clusters in lines; one with its reasons; a past instant from the log."""
    monkeypatch.setenv("COPILOT_API_URL", api)
    (line,) = copilot("status", "--json").records
    assert (line["cluster"], line["status"]) == (CLUSTER, "stressed")
    assert CLUSTER in copilot("status").out
    now = copilot("status", "--cluster", CLUSTER)
    assert "NOT CURRENT" in now.out, "a recording of yesterday is not the present"
    at = ("--at", "2026-11-22T17:15:00Z")
    (then,) = copilot("status", "--cluster", CLUSTER, *at, "--api", api, "--json").records
    assert then["status"] == "critical"
    assert "no-progress" in {g["id"] for g in then["last_transition"]["gates"]}


def test_what_the_api_refuses_is_told_with_its_words(api: str, copilot: Copilot) -> None:
    """4xx is wrong input: exit 2 and the API's own sentence."""
    called = copilot("status", "--cluster", "nobody", "--api", api)
    assert called.code == 2
    assert "nobody" in called.err


def test_an_api_that_is_away_is_75(copilot: Copilot) -> None:
    """Nobody listens: exit 75 and the setting that says where."""
    called = copilot("status", "--api", f"http://127.0.0.1:{free_port()}")
    assert called.code == 75
    assert "COPILOT_API_URL" in called.err
