"""Settings of the processes that explain: wrong ones are named, and keys never shown."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from copilot_core.errors import Rejected
from copilot_service import read_settings
from copilot_workflows.settings import TemporalSettings, TriggerSettings
from copilot_workflows.worker.settings import AgentsSettings

KEY = base64.b64encode(b"k" * 32).decode()


@pytest.fixture
def complete(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The least that trigger and agents need."""
    monkeypatch.setenv("COPILOT_LOG_DSN", "postgresql://copilot@127.0.0.1/copilot")
    monkeypatch.setenv("COPILOT_TEMPORAL_ADDRESS", "127.0.0.1:7233")
    return monkeypatch


@pytest.mark.parametrize("cls", [TriggerSettings, AgentsSettings])
@pytest.mark.parametrize("missing", ["COPILOT_TEMPORAL_ADDRESS", "COPILOT_LOG_DSN"])
def test_what_is_missing_is_named(
    complete: pytest.MonkeyPatch, cls: type[TriggerSettings], missing: str
) -> None:
    """Without an address of Temporal or of the log there is no process; the variable is named."""
    assert read_settings(cls).temporal_namespace == "copilot"
    complete.delenv(missing)
    with pytest.raises(Rejected, match=missing):
        read_settings(cls)


@pytest.mark.parametrize("cls", [TriggerSettings, AgentsSettings])
def test_every_check_of_every_part_holds(
    complete: pytest.MonkeyPatch, cls: type[TriggerSettings]
) -> None:
    """Settings made of several parts keep the checks of each: none replaces another's."""
    complete.setenv("COPILOT_LOG_DSN", "mysql://nobody@127.0.0.1/x")
    with pytest.raises(Rejected, match="postgresql://"):
        read_settings(cls)


def test_keys_in_their_order(complete: pytest.MonkeyPatch) -> None:
    """The first key encrypts: the order is kept."""
    complete.setenv("COPILOT_TEMPORAL_PAYLOAD_KEYS", f"new={KEY}, old={KEY}")
    assert list(read_settings(TemporalSettings).payload_keys) == ["new", "old"]


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        (KEY, "name=key"),
        (KEY.rstrip("="), "name=key"),
        (f"a={KEY},a={KEY}", "stands once"),
        ("a=secret!", "not base64"),
        ("a=c2hvcnQ=", "5 bytes, 32 are needed"),
    ],
)
def test_wrong_keys_are_told_and_not_shown(
    complete: pytest.MonkeyPatch, keys: str, why: str
) -> None:
    """What is wrong with a key is said, without a byte of it."""
    complete.setenv("COPILOT_TEMPORAL_PAYLOAD_KEYS", keys)
    with pytest.raises(Rejected, match=why) as caught:
        read_settings(TemporalSettings)
    assert KEY[:8] not in str(caught.value)
    assert "secret!" not in str(caught.value)


def test_a_certificate_needs_its_key(complete: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One file of the two is a mistake that is told at the start."""
    (tmp_path / "cert.pem").write_text("x")
    complete.setenv("COPILOT_TEMPORAL_TLS_CERT_FILE", str(tmp_path / "cert.pem"))
    with pytest.raises(Rejected, match="go together"):
        read_settings(TemporalSettings)
