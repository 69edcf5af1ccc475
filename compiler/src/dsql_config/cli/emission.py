"""`compile --emit`: who changes which cluster and why, asked early and recorded last.

Theory of operation. What an event needs beside the profile is checked with all other input. The log
is opened before the files are written, so that one that nobody configured is told before anything
is done, and appended to after them.
"""

from __future__ import annotations

import getpass
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from copilot_core.errors import CopilotError

if TYPE_CHECKING:
    from dsql_config.emit import ConfigLog, Emitted, Unchanged
    from dsql_config.findings import Finding
    from dsql_config.profile import Profile

_EXAMPLES: Final = {"cluster": "orders-eu-1", "author": "alice", "reason": "'twice the load'"}


@dataclass(frozen=True, slots=True)
class Announcement:
    """What is told about a change beside the configuration itself."""

    cluster: str
    author: str
    reason: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an event: recorded, unchanged, or an error, which ends the command."""

    done: Emitted | Unchanged | None
    error: CopilotError | None = None

    def told(self) -> str:
        """In a sentence."""
        changes, version = self._changes(), self._version()
        if changes is not None:
            return f"recorded as version {version}: {changes} values changed"
        if version is not None:
            return f"unchanged since version {version}: nothing recorded"
        return "the files are written, the change is not recorded: run the same command again"

    def as_json(self) -> dict[str, object]:
        """Whether an event was recorded, its version, and the error if there was one."""
        changes = self._changes()
        return {
            "recorded": changes is not None,
            "version": self._version(),
            "changes": changes,
            "error": self.error.what if self.error else None,
        }

    def _version(self) -> int | None:
        return self.done.version if self.done else None

    def _changes(self) -> int | None:
        """How many values an event changed; None when none was recorded."""
        from dsql_config.emit import Emitted

        return len(self.done.event.changes) if isinstance(self.done, Emitted) else None


def announcement(
    cluster: str | None, *, author: str | None, reason: str | None, subject: str
) -> tuple[Announcement | None, tuple[Finding, ...]]:
    """The announcement that options ask for, or what is wrong with them.

    `subject` is what is compiled; it is the reason when none is given.
    """
    from dsql_config.emit import wrong_words
    from dsql_config.findings import Finding, Severity

    words = {
        "cluster": cluster or "",
        "author": (_user() if author is None else author).strip(),
        "reason": (f"compiled {subject}" if reason is None else reason).strip(),
    }
    wrong = wrong_words(**words)
    if cluster is None:
        wrong["cluster"] = "--emit needs the id of the cluster"
    findings = tuple(
        Finding(
            severity=Severity.ERROR, code="bad-emit", key=f"--{name}", message=what,
            suggestion=f"--{name} {_EXAMPLES[name]}",
        )
        for name, what in wrong.items()
    )  # fmt: skip
    return (None if findings else Announcement(**words)), findings


def _user() -> str:
    """The name of who runs this; empty where neither environment nor system knows one."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""


@contextmanager
def opened(announced: Announcement | None) -> Generator[ConfigLog | None]:
    """The config log while something is announced, else None; raises as `emit.open_log`."""
    if announced is None:
        yield None
        return
    from dsql_config.emit import open_log

    with open_log() as log:
        yield log


def record(log: ConfigLog, profile: Profile, announced: Announcement) -> Outcome:
    """Append the change, unless this configuration is in force already."""
    from whenever import Instant

    from dsql_config.diff import changes_since
    from dsql_config.emit import emit

    try:
        done = emit(
            log, profile, cluster=announced.cluster, at=Instant.now().timestamp(),
            author=announced.author, reason=announced.reason,
            changes_between=lambda former: changes_since(former, profile),
        )  # fmt: skip
    except CopilotError as e:
        return Outcome(None, e)
    return Outcome(done)
