"""Writing an output folder: whole or not at all, and never over somebody else's files.

Theory of operation. There are two ways, and both write to a temporary folder on the same file
system first, flushed to the disk.

    the folder is new, or all in it is ours   it is swapped: the old folder is moved aside, the new
                                              one renamed into its place, the old one removed
    it holds files of others, this program    it is filled: each file replaces the one in its place,
    runs inside of it, or it cannot be        ours that are not written any more are removed, and
    renamed (a mount, a closed parent)        what was replaced is kept until all is done

A failure puts everything back. A process killed halfway leaves what was there whole: in a hidden
folder beside the place, or inside of it. Which files are ours is told by what they hold (`ours`). A
file of others that stands where ours has to go is named, and nothing is touched.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
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
from dsql_config.ours import foreign, in_the_way, left_over

_SHOWN: Final = 5
"""Files of others that an error names."""

_WRONG_PLACE: Final = (
    EACCES, EBUSY, EEXIST, EISDIR, ENAMETOOLONG, ENOENT, ENOTDIR, EPERM, EROFS, EXDEV,
)  # fmt: skip
"""The place cannot be written to, and will not be able to the next time."""


def write(files: Mapping[str, bytes], out: Path) -> None:
    """Make `out` a folder that holds these files (path below it to bytes), and of ours no others.

    Raises `Rejected` when the place cannot be written to (code `unwritable`) or a file of others
    stands where one of these has to go (`foreign-files`), `Unavailable` when the disk fails. In
    each case what was there is there still, as it was.
    """
    try:
        place = out.resolve()
        _refuse_what_is_there(place, files)
        if _is_swapped(place, files):
            place.parent.mkdir(parents=True, exist_ok=True)
            _replace(place, files)
        else:
            _fill(place, files, left_over(place, files.keys()))
    except OSError as e:
        raise _translated(e, out) from e


def refuse_place(out: Path) -> None:
    """Look, before there is anything to write, whether `out` can be a folder of ours.

    Raises `Rejected` (code `unwritable`) for a file, and for a folder that may not be written to,
    whether it is the place or the nearest one above. `write` looks again, and at more.
    """
    try:
        place = out.resolve()
        nearest = next(p for p in (place, *place.parents) if os.path.lexists(p))
        writable = os.access(nearest, os.W_OK | os.X_OK)
    except OSError as e:
        raise _translated(e, out) from e
    if not nearest.is_dir():
        raise _translated(OSError(ENOTDIR, f"{nearest.name} is a file"), out)
    if not writable:
        raise _translated(OSError(EACCES, os.strerror(EACCES)), out)


def _refuse_what_is_there(place: Path, files: Mapping[str, bytes]) -> None:
    if not os.path.lexists(place):
        return
    if not place.is_dir():
        raise Rejected(
            f"{place.name} is a file", where=str(place), todo="name a folder", code="unwritable"
        )
    names = list(islice(in_the_way(place, files.keys()), _SHOWN + 1))
    if names:
        more = " and more" if len(names) > _SHOWN else ""
        raise Rejected(
            f"files that this command did not write stand where its own have to go: "
            f"{', '.join(names[:_SHOWN])}{more}",
            where=str(place),
            todo="move them, or name another folder",
            code="foreign-files",
        )


def _is_swapped(place: Path, files: Mapping[str, bytes]) -> bool:
    """Whether the folder may be replaced as a whole: nobody else has a part in it, this program
    does not run in it, and it can be renamed where it is."""
    if not place.exists():
        return True
    inside = Path.cwd().is_relative_to(place)
    if inside or not os.access(place.parent, os.W_OK | os.X_OK) or place.is_mount():
        return False
    return next(foreign(place, files.keys()), None) is None


def _replace(place: Path, files: Mapping[str, bytes]) -> None:
    """Fill a folder beside `place` and put it there."""
    beside = Path(tempfile.mkdtemp(prefix=f".{place.name}-", dir=place.parent))
    new, old = beside / "new", beside / "old"
    try:
        _stage(files, new)
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


def _fill(place: Path, files: Mapping[str, bytes], gone: Iterable[str]) -> None:
    """Put each file in its place in a folder that stays, and remove those that are `gone`."""
    inside = Path(tempfile.mkdtemp(prefix=".temporal-dsql-config-", dir=place))
    new, old = inside / "new", inside / "old"
    try:
        _stage(files, new)
        _exchange(place, new, old, files, gone)
    finally:
        shutil.rmtree(new, ignore_errors=True)
        with suppress(OSError):  # it holds what could not be put back
            inside.rmdir()


def _exchange(place: Path, new: Path, old: Path, files: Iterable[str], gone: Iterable[str]) -> None:
    """Move the new files in and remove those that are gone; or put all back from kept copies."""
    touched: list[str] = []
    made: list[Path] = []
    try:
        _keep([path for path in (*files, *gone) if (place / path).exists()], place, old)
        for path in files:
            _make_folders(place, path, made)
            touched.append(path)
            (new / path).replace(place / path)
        for path in gone:
            touched.append(path)
            (place / path).unlink(missing_ok=True)
    except BaseException:
        _put_back(touched, place, old)
        _remove_empty(reversed(made))
        raise
    shutil.rmtree(old, ignore_errors=True)
    parents = {parent for path in gone for parent in Path(path).parents if parent != Path()}
    _remove_empty(place / parent for parent in sorted(parents, reverse=True))


def _keep(paths: Iterable[str], place: Path, old: Path) -> None:
    """Copy files, with their permissions, to where they can be put back from."""
    old.mkdir()
    for path in paths:
        (old / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(place / path, old / path)


def _put_back(paths: Iterable[str], place: Path, old: Path) -> None:
    """Each path as it was; the copies are kept when one of them cannot be moved back."""
    is_stuck = False
    for path in paths:
        try:
            if (old / path).exists():
                (old / path).replace(place / path)
            else:
                (place / path).unlink(missing_ok=True)
        except OSError:  # the first failure is the one to tell
            is_stuck = True
    if not is_stuck:
        shutil.rmtree(old, ignore_errors=True)


def _make_folders(place: Path, path: str, made: list[Path]) -> None:
    """Make the folders that a path needs; those that were not there are added to `made`."""
    parents = (p for p in (place / path).parents if p.is_relative_to(place))
    for folder in reversed([p for p in parents if not p.exists()]):
        folder.mkdir()
        made.append(folder)


def _remove_empty(folders: Iterable[Path]) -> None:
    """Remove those that hold nothing and that this program does not run in."""
    for folder in folders:
        if not Path.cwd().is_relative_to(folder):
            with suppress(OSError):
                folder.rmdir()


def _stage(files: Mapping[str, bytes], new: Path) -> None:
    new.mkdir()
    for path, content in files.items():
        file = new / path
        file.parent.mkdir(parents=True, exist_ok=True)
        _flushed(file, content)


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
