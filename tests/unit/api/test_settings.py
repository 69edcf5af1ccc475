"""Settings of the API: closed by default everywhere but on loopback."""

from __future__ import annotations

import pytest

from copilot_api.settings import ApiSettings, is_loopback
from copilot_core.errors import Rejected
from copilot_service import read_settings

TOKEN = "correct-horse-battery-staple"


@pytest.fixture(autouse=True)
def _log_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one variable without which nothing starts."""
    monkeypatch.setenv("COPILOT_LOG_DSN", "postgresql://postgres@127.0.0.1:1/postgres")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.7", "api.example.org", ""])
def test_other_addresses_need_a_token(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a token the API refuses every address but loopback, and names the variable."""
    monkeypatch.setenv("COPILOT_API_HOST", host)
    for token in (None, ""):
        if token is not None:
            monkeypatch.setenv("COPILOT_API_TOKEN", token)
        with pytest.raises(Rejected, match="COPILOT_API_TOKEN") as refused:
            read_settings(ApiSettings)
        assert refused.value.exit_code == 2
    monkeypatch.setenv("COPILOT_API_TOKEN", TOKEN)
    assert read_settings(ApiSettings).token is not None


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_may_be_open(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On loopback no token is needed, and an empty one counts as none."""
    assert is_loopback(host)
    monkeypatch.setenv("COPILOT_API_HOST", host)
    monkeypatch.setenv("COPILOT_API_TOKEN", "")
    assert read_settings(ApiSettings).token is None


def test_a_short_token_is_refused_and_no_token_is_ever_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A guessable token is refused; neither the error nor the settings show what it was."""
    monkeypatch.setenv("COPILOT_API_TOKEN", "hunter2")
    with pytest.raises(Rejected) as refused:
        read_settings(ApiSettings)
    assert "hunter2" not in f"{refused.value} {refused.value.__cause__}"
    monkeypatch.setenv("COPILOT_API_TOKEN", TOKEN)
    assert TOKEN not in repr(read_settings(ApiSettings))
