"""What a set of files says: dynamic-config entries, variables, and where they came from.

Theory of operation. A file is read as whoever runs on it would read it: dynamic config through the
server's own YAML dialect, an environment file as Compose and the shells do. What the reader would
not take (a refused file, a value of another type, a second entry for the same constraints) stays
visible with the reason and counts for nothing. No content makes reading raise; only the file system
may.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from pathlib import Path, PurePath
from typing import Final, assert_never

from copilot_core.errors import Rejected
from dsql_config.findings import Finding, Severity
from dsql_config.foreign_files import env_lines, read_at_most
from dsql_config.profile import Profile
from dsql_config.seen_entries import SeenEntry, read_entries
from dsql_config.server.limits import MAX_BYTES
from dsql_config.server.registry import ServerRegistry
from dsql_config.server.yaml_dialect import decode
from dsql_config.stamp import Stamp, read_stamp

FILES: Final = ("profile.json", "dynamicconfig.yaml", "dsql.env")
"""Files of an output folder that say what a configuration means, in reading order."""


@dataclass(frozen=True, slots=True)
class SeenVariable:
    """One environment variable; `line` is 0 where it came from no file. `ignored` says why it
    counts for nothing."""

    file: str
    line: int
    name: str
    value: str
    ignored: str | None = None

    @property
    def place(self) -> str:
        """`file:line`, or what stands for a file."""
        return f"{self.file}:{self.line}" if self.line else self.file


class FileKind(Enum):
    """What a file holds."""

    DYNAMIC_CONFIG = auto()
    ENVIRONMENT = auto()
    PROFILE = auto()


@dataclass(frozen=True, slots=True)
class Source:
    """A file read as far as its head: its kind, its bytes, and what it says of its origin."""

    name: str
    data: bytes
    kind: FileKind
    stamp: Stamp | None
    profile: Profile | None


@dataclass(frozen=True, slots=True)
class Said:
    """What files say together; None stands for a kind of file that was not among them, or that
    nobody could have read."""

    entries: tuple[SeenEntry, ...] | None
    variables: tuple[SeenVariable, ...] | None
    findings: tuple[Finding, ...]


def load(paths: Iterable[Path]) -> tuple[tuple[str, bytes], ...]:
    """Names and contents of files; a folder stands for those of `FILES` that it holds.

    Raises `Rejected` (code `unreadable-file` or `file-too-large`, the first one's) with every path
    that cannot be read.
    """
    texts: list[tuple[str, bytes]] = []
    refused: list[tuple[str, str]] = []
    for path in paths:
        try:
            texts += [(_shown(file), _bytes_of(file)) for file in _files_of(path)]
        except Rejected as e:
            refused.append((e.code, f"{_shown(path)}: {e.what}"))
    if refused:
        code, what = refused[0]
        raise Rejected(
            what, code=code, findings=tuple(finding for _, finding in refused),
            todo="name dynamic-config files, environment files or output folders that can be read",
        )  # fmt: skip
    return tuple(texts)


def _files_of(path: Path) -> tuple[Path, ...]:
    """The file, or those of a folder that say what a configuration means."""
    if not _is_folder(path):
        return (path,)
    inside = tuple(path / name for name in FILES if (path / name).is_file())
    if not inside:
        what = f"none of {', '.join(FILES)} is in this folder"
        raise Rejected(what, code="unreadable-file")
    return inside


def _shown(path: Path) -> str:
    """A path as text that every output can hold."""
    return os.fsencode(path).decode("utf-8", "replace")


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):  # a name that no file can have: reading it tells so
        return False


def _bytes_of(file: Path) -> bytes:
    data = read_at_most(file, MAX_BYTES)
    if len(data) > MAX_BYTES:
        raise Rejected(f"larger than {MAX_BYTES} bytes", code="file-too-large")
    return data


def identify(name: str, data: bytes) -> Source:
    """What a file is: by its name, and by its content where the name does not say."""
    kind = _kind(PurePath(name).name.lower(), data)
    text = data.decode("utf-8", "replace")
    profile = None
    if kind is FileKind.PROFILE:
        try:
            profile = Profile.from_json(data)
        except (ValueError, RecursionError):
            profile = None
    stamp = None if kind is FileKind.PROFILE else read_stamp(text, source=name)
    return Source(name, data, kind, stamp, profile)


def _kind(name: str, data: bytes) -> FileKind:
    suffix = PurePath(name).suffix
    if suffix == ".json":
        return FileKind.PROFILE
    if suffix == ".env" or name == ".env" or name.startswith(".env."):
        return FileKind.ENVIRONMENT
    if suffix in (".yaml", ".yml"):
        return FileKind.DYNAMIC_CONFIG
    if data.lstrip().startswith(b"{"):
        return FileKind.PROFILE
    return FileKind.ENVIRONMENT if decode(data).refused else FileKind.DYNAMIC_CONFIG


def read(sources: Sequence[Source], registry: ServerRegistry) -> Said:
    """Everything that files say to the server of this registry and its plugin."""
    entries: list[SeenEntry] | None = None
    variables: list[SeenVariable] | None = None
    findings: list[Finding] = []
    for source in sources:
        match source.kind:
            case FileKind.DYNAMIC_CONFIG:
                found, refused = read_entries(source.name, source.data, registry)
                entries = entries if refused else [*(entries or ()), *found]
                findings += refused
            case FileKind.ENVIRONMENT:
                lines, unread = _variables(source)
                variables = [*(variables or ()), *lines] if lines or not unread else variables
                findings += unread
            case FileKind.PROFILE:
                findings += [] if source.profile else [_no_profile(source.name)]
            case _:
                assert_never(source.kind)
    return Said(
        None if entries is None else tuple(entries),
        None if variables is None else _last_counts(variables),
        tuple(findings),
    )


def _no_profile(file: str) -> Finding:
    return Finding(
        severity=Severity.ERROR, code="no-profile", key=file,
        message="JSON, but not a profile that this compiler writes",
    )  # fmt: skip


def _variables(source: Source) -> tuple[list[SeenVariable], list[Finding]]:
    """The variables of an environment file, and the lines that are none."""
    try:
        text = source.data.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        return [], [_bad_line(source.name, 0, f"not UTF-8 at byte {e.start}")]
    findings: list[Finding] = []
    seen: list[SeenVariable] = []
    for found in env_lines(text):
        if found.name is None:
            findings.append(_bad_line(source.name, found.line, "no NAME=value"))
        else:
            seen.append(SeenVariable(source.name, found.line, found.name, found.value))
    return seen, findings


def _last_counts(seen: Sequence[SeenVariable]) -> tuple[SeenVariable, ...]:
    """The same variables; of one that is set twice, all but the last are ignored."""
    last = {v.name: v for v in seen}
    return tuple(
        v if v is last[v.name] else replace(v, ignored=f"set again in {last[v.name].place}")
        for v in seen
    )


def _bad_line(file: str, line: int, what: str) -> Finding:
    return Finding(
        severity=Severity.WARNING, code="line-unreadable", key=f"{file}:{line}" if line else file,
        message=f"nothing is read here: {what}",
    )  # fmt: skip
