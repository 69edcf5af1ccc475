"""Writing an output folder: whole or not at all, and never over somebody else's files.

Theory of operation. The files are written to a temporary folder beside the wanted one, flushed to
the disk, and the folder is renamed. A folder that is there already is moved aside first, put back
if the rename fails, and removed when it succeeded; a process killed between the two renames leaves
it whole, in a hidden folder beside its place. It is replaced only if every file in it is one
that this product writes: those of this run, and those that `OURS` knows from other choices of
adapters. Anything else is named, and nothing is touched.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Set
from contextlib import suppress
from errno import (
    EACCES,
    EBUSY,
    EEXIST,
    EISDIR,
    ENAMETOOLONG,
    ENOENT,
    ENOTDIR,
    EPERM,
    EROFS,
    EXDEV,
)
from itertools import islice
from pathlib import Path
from typing import Final

from copilot_core.errors import CopilotError, Rejected, Unavailable

_ROLES: Final = ("history", "matching", "frontend", "worker")
OURS: Final = frozenset((
    "dynamicconfig.yaml", "dsql.env", "profile.json", "why.md",
    "worker_options.go", "worker_options.py", "compose.yaml",
    *(f"ecs/{role}.json" for role in _ROLES), *(f"ecs/services/{role}.json" for role in _ROLES),
))  # fmt: skip
"""The files that the product's own adapters may have written."""

_SHOWN: Final = 5
"""Foreign files that an error names."""

_WRONG_PLACE: Final = (
    EACCES, EBUSY, EEXIST, EISDIR, ENAMETOOLONG, ENOENT, ENOTDIR, EPERM, EROFS, EXDEV,
)  # fmt: skip
"""The place cannot be written to, and will not be able to the next time."""


def write(files: Mapping[str, bytes], out: Path) -> None:
    """Make `out` a folder that holds exactly these files (path below it to bytes).

    Raises `Rejected` when the place cannot be written to (code `unwritable`) or holds files of
    others (`foreign-files`), `Unavailable` when the disk fails. In each case what was there is
    there still, as it was.
    """
    try:
        place = out.resolve()
        _refuse_foreign(place, files)
        place.parent.mkdir(parents=True, exist_ok=True)
        _replace(place, files)
    except OSError as e:
        raise _translated(e, out) from e


def refuse_place(out: Path) -> None:
    """Look, before there is anything to write, whether `out` can be a folder of ours.

    Raises `Rejected` (code `unwritable`) for a file, and for a place below a file or below a folder
    that may not be written to. `write` looks again, and at more.
    """
    try:
        place = out.resolve()
        nearest = next(p for p in (place, *place.parents) if os.path.lexists(p))
        trouble = _trouble_below(nearest.parent if nearest == place else nearest)
    except OSError as e:
        raise _translated(e, out) from e
    if not nearest.is_dir():
        trouble = OSError(ENOTDIR, f"{nearest.name} is a file")
    if trouble:
        raise _translated(trouble, out)


def _trouble_below(folder: Path) -> OSError | None:
    writable = os.access(folder, os.W_OK | os.X_OK)
    return None if writable else OSError(EACCES, os.strerror(EACCES))


def _refuse_foreign(place: Path, files: Mapping[str, bytes]) -> None:
    if not os.path.lexists(place):
        return
    if not place.is_dir():
        raise Rejected(
            f"{place.name} is a file", where=str(place), todo="name a folder", code="unwritable"
        )
    if Path.cwd().is_relative_to(place):
        raise Rejected(
            "the folder is replaced as a whole, and this program runs inside of it",
            where=str(place),
            todo="name a folder below it, or run from elsewhere",
            code="unwritable",
        )
    foreign = list(islice(_foreign(place, files.keys() | OURS), _SHOWN + 1))
    if foreign:
        more = " and more" if len(foreign) > _SHOWN else ""
        raise Rejected(
            f"the folder holds files that were not written by this command: "
            f"{', '.join(foreign[:_SHOWN])}{more}",
            where=str(place),
            todo="move them, or name another folder",
            code="foreign-files",
        )


def _foreign(place: Path, known: Set[str]) -> Iterator[str]:
    """Files and links below a folder that are not known, in a stable order, found as asked for."""
    for folder, folders, names in os.walk(place):
        folders.sort()
        links = [name for name in folders if Path(folder, name).is_symlink()]
        for name in sorted((*names, *links)):
            path = Path(folder, name).relative_to(place).as_posix()
            if path not in known:
                yield path


def _replace(place: Path, files: Mapping[str, bytes]) -> None:
    """Fill a folder beside `place` and put it there."""
    beside = Path(tempfile.mkdtemp(prefix=f".{place.name}-", dir=place.parent))
    new, old = beside / "new", beside / "old"
    try:
        new.mkdir()
        for path, content in files.items():
            file = new / path
            file.parent.mkdir(parents=True, exist_ok=True)
            _flushed(file, content)
        if place.exists():
            shutil.copymode(place, new)
            _swap(new, place, old)
        else:
            new.rename(place)
    finally:
        shutil.rmtree(new, ignore_errors=True)
        with suppress(OSError):  # it holds the old folder, if that could not be put back
            beside.rmdir()


def _swap(new: Path, place: Path, old: Path) -> None:
    """Put `new` in the place, and what was there away; or leave it there when that fails."""
    place.rename(old)
    try:
        new.rename(place)
    except BaseException:
        with suppress(OSError):  # the first failure is the one to tell
            old.rename(place)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _flushed(file: Path, content: bytes) -> None:
    with file.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _translated(e: OSError, out: Path) -> CopilotError:
    what = f"cannot write here: {e.strerror or e}"
    where = str(out)
    if e.errno in _WRONG_PLACE:
        todo = "name a folder that you may write to"
        return Rejected(what, where=where, todo=todo, code="unwritable")
    return Unavailable(what, where=where, todo="make room on the disk or repair it, and try again")
