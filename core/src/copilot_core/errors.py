"""Errors, named by what the caller does next.

    CopilotError
    ├── Rejected      the input is wrong: never retry; tell the sender (dead letter, 4xx, exit 2)
    ├── Conflict      someone wrote first: reload, decide again, a bounded number of times (exit 3)
    │   └── Fenced    another writer owns the shard now: stop writing, do not retry
    ├── Unavailable   the other side is silent: retry in place, then stop the process (exit 75)
    └── Defect        our own bug, or state that cannot be: crash, loudly (exit 70)

An error says what happened, where, and what to do; the parts stay apart so that a problem+json
answer, a dead letter and a log line can each show them in their own way.
"""

from __future__ import annotations

from typing import ClassVar


class CopilotError(Exception):
    """Base of every error that this project raises on purpose.

    `what` is one sentence about the fact, `where` names the place (a file and line, a topic and
    offset, a setting, a field), `todo` is the next step for the reader.
    """

    exit_code: ClassVar[int] = 70
    http_status: ClassVar[int] = 500

    def __init__(self, what: str, *, where: str = "", todo: str = "") -> None:
        self.what = what
        self.where = where
        self.todo = todo
        super().__init__(" — ".join(part for part in (what, where, todo) if part))

    def lines(self) -> tuple[str, ...]:
        """What a person is told: what failed and where, then what to do next; several findings
        have a line each."""
        where = f"{self.where}: " if self.where else ""
        told = tuple(f"{where}{finding}" for finding in self._findings())
        return (*told, self.todo) if self.todo else told

    def _findings(self) -> tuple[str, ...]:
        return (self.what,)


class Rejected(CopilotError):
    """The input is wrong and will be wrong again: never retry.

    `code` is the stable reason name used on the dead-letter topic, in counters and in problem
    types; `findings` holds every finding when there are several.
    """

    exit_code = 2
    http_status = 400

    def __init__(
        self,
        what: str,
        *,
        where: str = "",
        todo: str = "",
        code: str = "malformed",
        findings: tuple[str, ...] = (),
    ) -> None:
        self.code = code
        self.findings = findings or (what,)
        super().__init__(what, where=where, todo=todo)

    def _findings(self) -> tuple[str, ...]:
        return self.findings


class Conflict(CopilotError):
    """Somebody else wrote first: reload and decide again, a bounded number of times."""

    exit_code = 3
    http_status = 409


class Fenced(Conflict):
    """Another writer took the shard over: stop writing to it; a retry cannot succeed."""


class Unavailable(CopilotError):
    """The other side does not answer: retry in place, then stop the process."""

    exit_code = 75
    http_status = 503


class Defect(CopilotError):
    """Our own bug, or a state that cannot be: crash instead of going on."""

    exit_code = 70
    http_status = 500
