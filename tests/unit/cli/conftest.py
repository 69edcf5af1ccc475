"""Calling `copilot` inside the test's process: what it printed, and the exit code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
import pytest

from copilot.main import main


@dataclass(frozen=True, slots=True)
class Called:
    """What one call of the command left behind."""

    code: int
    out: str
    err: str

    @property
    def records(self) -> list[dict[str, Any]]:
        """Standard output as JSON lines."""
        return [orjson.loads(line) for line in self.out.splitlines()]


Copilot = Callable[..., Called]


@pytest.fixture
def copilot(capsys: pytest.CaptureFixture[str]) -> Copilot:
    """`copilot("rules", "show", "--json")`: the command as `main` runs it."""

    def call(*args: object) -> Called:
        with pytest.raises(SystemExit) as ended:
            main([str(arg) for arg in args])
        captured = capsys.readouterr()
        return Called(int(ended.value.code or 0), captured.out, captured.err)

    return call
