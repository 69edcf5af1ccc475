"""The settings of the log's connection: what follows from them, and what they refuse."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from copilot_eventlog.connect import tls_context
from copilot_eventlog.settings import EventLogSettings, LogTls
from copilot_eventlog.statements import Dialect

CLUSTER = "postgresql://admin@abc.dsql.eu-west-1.on.aws/postgres"


def settings(**values: Any) -> EventLogSettings:
    """Settings as if each value were a variable."""
    return EventLogSettings.model_validate({"log_dsn": "postgresql://db.example/log", **values})


def test_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables have the prefix COPILOT_; the address is not shown when settings are printed."""
    monkeypatch.setenv("COPILOT_LOG_DSN", "postgresql://me:secret@db.example/log")
    monkeypatch.setenv("COPILOT_LOG_POOL_SIZE", "3")
    read = EventLogSettings()
    assert (read.host, read.user, read.log_pool_size) == ("db.example", "me", 3)
    assert "secret" not in repr(read)


@pytest.mark.parametrize(
    ("dsn", "tls"),
    [
        ("postgresql://db.example/log", LogTls.VERIFY_FULL),
        ("postgresql://127.0.0.1:5432/log", LogTls.DISABLE),
        ("postgresql://localhost/log", LogTls.DISABLE),
        ("postgresql://postgres@/log?host=/run/postgres", LogTls.DISABLE),
        ("postgresql://127.0.0.1.example.com/log", LogTls.VERIFY_FULL),
    ],
)
def test_tls_is_the_default_off_this_machine(dsn: str, tls: LogTls) -> None:
    """Unless told otherwise, certificates are checked everywhere but on loopback and sockets."""
    assert settings(log_dsn=dsn).tls is tls
    assert settings(log_dsn=dsn, log_tls="require").tls is LogTls.REQUIRE


def test_what_each_tls_setting_checks() -> None:
    """verify-full checks certificate and name, require neither, disable does not encrypt."""
    full = tls_context(settings(log_tls="verify-full"))
    assert isinstance(full, ssl.SSLContext)
    assert full.check_hostname
    assert full.verify_mode is ssl.CERT_REQUIRED
    require = tls_context(settings(log_tls="require"))
    assert isinstance(require, ssl.SSLContext)
    assert not require.check_hostname
    assert require.verify_mode is ssl.CERT_NONE
    assert tls_context(settings(log_tls="disable")) is False


def test_iam_means_dsql() -> None:
    """Only Aurora DSQL takes the signed tokens, so `iam` chooses its dialect."""
    iam = settings(log_dsn=CLUSTER, log_auth="iam", log_region="eu-west-1")
    assert (iam.dialect, iam.tls, iam.user) == (Dialect.DSQL, LogTls.VERIFY_FULL, "admin")
    assert settings().dialect is Dialect.POSTGRES


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "another scheme": ({"log_dsn": "mysql://x/y"}, "postgresql://"),
    "sslmode in the address": (
        {"log_dsn": "postgresql://x/y?sslmode=disable"}, "COPILOT_LOG_TLS",
    ),
    "iam without a region": ({"log_dsn": CLUSTER, "log_auth": "iam"}, "COPILOT_LOG_REGION"),
    "iam without a role": (
        {"log_dsn": "postgresql://abc/postgres", "log_auth": "iam", "log_region": "r"}, "user",
    ),
    "iam in the clear": (
        {"log_dsn": CLUSTER, "log_auth": "iam", "log_region": "r", "log_tls": "disable"}, "TLS",
    ),
    "older than DSQL allows": ({"log_connection_lifetime_s": 3600}, "3300"),
    "no such CA file": ({"log_tls_ca_file": Path("/no/such/file.pem")}, "COPILOT_LOG_TLS_CA_FILE"),
}  # fmt: skip
"""What is set wrongly, and what the refusal names."""


@pytest.mark.parametrize("case", WRONG)
def test_wrong_settings_are_refused(case: str) -> None:
    """A setting that cannot work is refused before anything starts, and names what to change."""
    values, named = WRONG[case]
    with pytest.raises(ValidationError, match=named):
        settings(**values)
