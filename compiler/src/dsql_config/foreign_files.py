"""Files that somebody else wrote, as far as all who read them do the same.

Theory of operation. No file is read further than the limit of who asks, so an endless one costs
nothing; one byte more is read, by which its size is judged where its content is. Environment files
are split into their lines as Compose and the shells read them: `export`, quotes, values of several
lines, comments.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dotenv.parser import parse_stream

from copilot_core.errors import Rejected


def read_at_most(path: Path, limit_bytes: int) -> bytes:
    """The content of a file; of a larger one the first `limit_bytes` + 1 bytes.

    Raises `Rejected` (code `unreadable-file`) for a path that no file can be read from.
    """
    try:
        with path.open("rb") as file:
            return file.read(limit_bytes + 1)
    except (OSError, ValueError) as e:  # ValueError: a NUL in the name
        reason = e.strerror if isinstance(e, OSError) and e.strerror else str(e)
        raise Rejected(
            f"cannot be read: {reason}",
            where=str(path),
            todo="name a file that can be read",
            code="unreadable-file",
        ) from e


@dataclass(frozen=True, slots=True)
class EnvLine:
    """What stands in an environment file from a line on, counted from 1; `name` is None where
    `written` is no NAME=VALUE."""

    line: int
    name: str | None
    value: str
    written: str


def env_lines(text: str) -> Iterator[EnvLine]:
    """The lines of an environment file that say something, or that nobody can read."""
    for binding in parse_stream(io.StringIO(text)):
        written = binding.original.string
        blank = written[: len(written) - len(written.lstrip())]
        line = binding.original.line + blank.count("\n")
        if binding.key is not None and binding.value is not None:
            yield EnvLine(line, binding.key, binding.value, written.strip())
        elif binding.error or binding.key is not None:
            yield EnvLine(line, None, "", written.strip())
