"""The guard: what every sink gets of a foreign text, and what may not be harmed."""

from __future__ import annotations

import pytest

from copilot_core.guarding.guard import (
    CREDENTIALS,
    LIMITS,
    Leak,
    Secret,
    Sink,
    guard,
    guard_named,
    leaks,
)

RUN_ID = "01a20437-9200-799a-aad8-aa3bec359640"
DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

OURS = (
    f"run {RUN_ID} of shard 11 closed at 2026-11-23T03:07:30.123Z after 4.5s",
    f'{{"event_id":"{RUN_ID}","rules_digest":"{DIGEST}","version":1412}}',
    f"fingerprint={DIGEST} previous_fingerprint={DIGEST}",
    f"image sha256:{DIGEST} pulled",
    f"commit 3dc84a4a5aaa1b2c3d4e5f60718293a4b5c6d7e8 of {RUN_ID}",
    'pq: password authentication failed for user "temporal"',
    "token expired, secret not found, no password was given",
    "DSQL_TOKEN_DURATION=14m COPILOT_KAFKA_PARTITIONS=12 shard key: 7",
    "callFunctionCheckIfDataAlreadyExistsPerpetualSubinventory",
    "TaskQueue: order-worker-1-652a4e3dabe541fcb7e7bdc140c2210f, ScheduledEventID: 7",
    "temporal-history-7d9f8b6c5d-x2k9p restarted",
    "/go/pkg/mod/go.temporal.io/server@v1.2.0-0.20210405180319-a5a99cb37ef4/service/history.go:17",
    "listening on 127.0.0.1:7233, [::1]:7233 and 0.0.0.0:9090",
    "root.children[::2], 17:04:40 and 1.32.1 are no addresses",
    "password=${DB_PASSWORD} token=<token> secret=*** api_key=%s",
    "naïve café, Zürich, 東京, привет мир, 4 µs, ≥ 3 × 10⁶",
    "x" * 500,
)
"""Ordinary text: ids, digests, names, versions, what is said about secrets, other languages."""

TAKEN = {
    "password=hunter2 and more": "password=[password] and more",
    '{"password":"a b","x":1}': '{"password":"[password]","x":1}',
    r'{"m":"{\"token\":\"abc\"}"}': r'{"m":"{\"token\":\"[password]\"}"}',
    "postgresql://me:pw@db.example/log?x=1 failed": "[dsn] failed",
    "https://me:pw@grafana.example/d/1": "https://[credentials]@grafana.example/d/1",
    "dial tcp 10.0.3.4:7233: refused": "dial tcp [ip]:7233: refused",
    "from [2001:db8::1]:7233": "from [[ip]]:7233",
    "mail bob@example.com": "mail [e-mail]",
    "Authorization: Bearer abcdefgh12345678": "Authorization: [credentials]",
    "worker --api-key s3cr3t --port 1": "worker --api-key [password] --port 1",
    "ALTER USER x WITH PASSWORD 'hunter2'": "ALTER USER x WITH PASSWORD '[password]'",
    'logger.Info("password", "hunter2")': 'logger.Info("password", "[password]")',
    '{"name": "DB_PASSWORD", "value": "hunter2"}': '{"name": "DB_PASSWORD", "value": "[password]"}',
    "login%3Fpassword%3Dhunter2": "login%3Fpassword%3D[password]",
    "me:hunter2@db.internal:5432/x": "[dsn]/x",
    "a\u200b\u202eb\u0000c\x1b[31md": "ab cd",
    "p\u0430ssword=hunter2": "password=[password]",
    "\uff50\uff41\uff53\uff53\uff57\uff4f\uff52\uff44\uff1dhunter2": "password=[password]",
}


@pytest.mark.parametrize("text", OURS)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    """Ids, digests, versions, names and talk about secrets are not mangled."""
    assert guard(text, Sink.EVENT) == text


@pytest.mark.parametrize(("text", "left"), TAKEN.items())
def test_a_secret_goes_and_the_rest_stays(text: str, left: str) -> None:
    """Only the secret is replaced, by what it was."""
    assert guard(text, Sink.EVENT) == left


@pytest.mark.parametrize("sink", list(Sink))
def test_every_sink_takes_secrets_out_and_has_a_limit(sink: Sink) -> None:
    """No sink is without a limit, and none lets a password pass."""
    shown = guard("password=hunter2 " + "word " * 100_000, sink)
    assert "hunter2" not in shown
    assert len(shown) <= LIMITS[sink].characters
    assert shown.endswith("…")


def test_lines_stay_lines_only_where_there_may_be_several() -> None:
    """A traceback in a log keeps its lines, a label has one."""
    assert guard("a\n  b\tc", Sink.LOG) == "a\n  b\tc"
    assert guard("a\n  b\tc", Sink.METRIC) == "a b c"


def test_a_secret_on_the_edge_is_found_before_the_cut() -> None:
    """A key that the limit would cut in half is replaced first, so no half of it stays."""
    key = "ghp_" + "a1B2c3D4e5" * 4
    for room in range(20, 70):
        shown = guard(f"some words before {key} and after", Sink.EVENT, limit=room)
        assert "ghp_" not in shown
        assert len(shown) <= room


@pytest.mark.parametrize("blank", [" ", ""])
def test_the_end_of_a_very_long_text_leaks_nothing(blank: str) -> None:
    """Text beyond what is kept is not read; where it begins, no secret is cut in half."""
    for before in range(5_000, 5_200, 7):
        text = "[ip]" * (before // 4) + blank + "ghp_" + "a1B2c3D4e5" * 4 + "x" * 10_000
        assert "a1B2c3" not in guard(text, Sink.EVENT, limit=300)


def test_a_field_is_known_by_its_name() -> None:
    """A value that is called a password goes, one that is called a digest stays."""
    assert guard_named("db_password", "correct horse", Sink.LOG) == "[password]"
    assert guard_named("rules_digest", DIGEST, Sink.LOG) == DIGEST
    assert guard_named("event_id", RUN_ID, Sink.LOG) == RUN_ID
    assert guard_named("said", DIGEST, Sink.LOG) == "[key]"
    assert guard_named("digest", "password=hunter2", Sink.LOG) == "password=[password]"


def test_leaks_are_told_by_line() -> None:
    """A page with a secret can be refused with the line on which it stands."""
    page = "# Title\n\ncall 10.1.2.3\n\n    password: hunter2\n"
    assert leaks(page) == (Leak(Secret.IP, 3), Leak(Secret.PASSWORD, 5))
    assert {leak.secret for leak in leaks(page)} & CREDENTIALS == {Secret.PASSWORD}
    assert leaks("# Title\n\nA password opens the database; rotate it.\n") == ()
