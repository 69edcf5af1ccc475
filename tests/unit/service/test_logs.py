"""Log lines have one form, and chatty libraries do not drown them."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from copilot_service import LogFormat, configure_logs
from copilot_service.logs import RateLimit


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    yield
    root.handlers[:], _ = before
    root.setLevel(before[1])
    structlog.reset_defaults()


def record(logger: str, message: str) -> logging.LogRecord:
    return logging.LogRecord(logger, logging.ERROR, "", 0, message, (), None)


def test_a_chatty_library_is_held_to_a_few_lines_and_the_rest_is_counted() -> None:
    """1,500 equal lines of aiokafka become five; the next one says how many were left out."""
    now = [0.0]
    limit = RateLimit(lines=5, period_s=60, clock=lambda: now[0])
    passed = [limit.filter(record("aiokafka.conn", "node down")) for _ in range(1500)]
    assert sum(passed) == 5
    now[0] = 61
    late = record("aiokafka.conn", "node down")
    assert limit.filter(late)
    assert late.__dict__["suppressed"] == 1495


def test_lines_of_the_project_are_never_suppressed() -> None:
    """Only named third-party loggers are limited."""
    limit = RateLimit(lines=1, period_s=60, clock=lambda: 0.0)
    assert all(limit.filter(record("copilot_streams.worker", "x")) for _ in range(100))


def test_different_messages_are_limited_apart() -> None:
    """A rare line passes while a frequent one is held back."""
    limit = RateLimit(lines=1, period_s=60, clock=lambda: 0.0)
    assert limit.filter(record("aiokafka", "often"))
    assert not limit.filter(record("aiokafka", "often"))
    assert limit.filter(record("aiokafka", "rare"))


def test_our_lines_and_those_of_libraries_have_the_same_fields(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """structlog and the standard library both give JSON with process, level, at, logger, event."""
    configure_logs("worker", format_=LogFormat.JSON)
    structlog.get_logger("ours").warning("taken over", shard=3)
    logging.getLogger("theirs").warning("%s is %s", "broker", "down")
    ours, theirs = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert {"process", "level", "at", "logger", "event"} <= ours.keys() & theirs.keys()
    assert (ours["event"], ours["shard"]) == ("taken over", 3)
    assert theirs["event"] == "broker is down"


@pytest.mark.parametrize("format_", list(LogFormat))
def test_a_traceback_shows_no_local_variables(
    format_: LogFormat, capsys: pytest.CaptureFixture[str]
) -> None:
    """A password in a local variable of a failing function appears in no log line."""
    configure_logs("worker", format_=format_)

    def connect(secret: str) -> None:
        raise ConnectionError(f"no answer after {len(secret)} characters")

    try:
        connect("".join(("hunter", "2")))
    except ConnectionError:
        structlog.get_logger("copilot_eventlog").exception("not connected")
    written = capsys.readouterr().err
    assert "no answer after 7 characters" in written
    assert "hunter2" not in written


SAID = {
    "password=hunter2": "hunter2",
    "postgres://me:hunter2@db/log": "hunter2",
    "bob@example.com": "bob@",
    "Authorization: Bearer abcdefgh12345678xyz": "abcdefgh",
}


@pytest.mark.parametrize("format_", list(LogFormat))
@pytest.mark.parametrize("said", SAID)
def test_no_line_tells_a_secret(
    said: str, format_: LogFormat, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the message, in a field, in a field of a field, in an error and its traceback, whoever
    writes the line."""
    configure_logs("worker", format_=format_)
    ours = structlog.get_logger("ours")
    ours.warning(f"refused {said}", detail=said, more={"in": [said]}, error=ValueError(said))
    logging.getLogger("theirs").warning("refused %s", said)

    def connect() -> None:
        raise ConnectionError(said)

    try:
        connect()
    except ConnectionError:
        ours.exception("not connected")
    written = capsys.readouterr().err
    assert "ConnectionError" in written
    assert SAID[said] not in written


def test_fields_are_judged_by_their_name(capsys: pytest.CaptureFixture[str]) -> None:
    """A password goes whatever it looks like; ids, digests and numbers stay what they are."""
    configure_logs("worker", format_=LogFormat.JSON)
    fields = {
        "event_id": "6f1f0e0c-3b0a-5d57-9c43-7c2a52d1d0a1",
        "rules_digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "shard": 3,
        "ratio": 0.25,
        "held": True,
        "todo": None,
    }
    structlog.get_logger("ours").warning("taken over", **fields, db_password="correct horse")
    (line,) = capsys.readouterr().err.splitlines()
    told = json.loads(line)
    assert {name: told[name] for name in fields} == fields
    assert told["db_password"] == "[password]"
