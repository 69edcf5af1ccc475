"""What is wrong, said once for every part of the compiler.

Theory of operation. Inputs, guard rails, the check of a server's file and the adapters all report
the same thing: a `Finding`. Nothing halts at the first one; a caller collects them all, and
`blocking` tells whether any forbids going on. Order is the order of discovery, which every part
keeps deterministic.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class Severity(StrEnum):
    """Whether a finding forbids going on."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Finding(BaseModel):
    """One thing that is wrong or worth knowing.

    `code` is stable and meant for programs; `key` names the parameter, input, server key or file
    position it is about; `message` gives the numbers; `suggestion` says what to change, or is the
    nearest real name where a name was not known.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    severity: Severity
    code: str
    key: str
    message: str
    suggestion: str | None = None


def blocking(findings: Iterable[Finding]) -> bool:
    """Whether any finding is an error."""
    return any(f.severity is Severity.ERROR for f in findings)
