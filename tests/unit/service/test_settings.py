"""Settings are read once, from the environment, and a wrong one is named."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from copilot_core.errors import Rejected
from copilot_service import ServiceSettings, read_settings


class Needy(ServiceSettings):
    """Settings with one that has no default."""

    log_dsn: str


def test_a_missing_and_a_wrong_variable_are_both_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """All findings come at once, each with the full name of its variable."""
    monkeypatch.setenv("COPILOT_SERVICE_PORT", "99999")
    monkeypatch.delenv("COPILOT_LOG_DSN", raising=False)
    with pytest.raises(Rejected) as caught:
        read_settings(Needy)
    text = "\n".join(caught.value.findings)
    assert "COPILOT_LOG_DSN" in text
    assert "COPILOT_SERVICE_PORT" in text


def test_settings_are_frozen() -> None:
    """What was read at the start cannot change under a running process."""
    settings = ServiceSettings()
    with pytest.raises(ValidationError):
        settings.service_port = 1  # ty: ignore[invalid-assignment]
