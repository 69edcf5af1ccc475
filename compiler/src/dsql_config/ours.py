"""Which files of a folder this product wrote: those may be replaced, all others are somebody's.

Theory of operation. A name alone says little: a project may well have a `compose.yaml` of its own.
So a file is ours when it stands where ours stands and holds the mark that ours has near its start:

    dynamicconfig.yaml, dsql.env,        the first line of the head (see `stamp`)
    compose.yaml, worker_options.*
    why.md                               the clause that names the compiler
    profile.json                         the field that names the compiler's version
    ecs/…                                the name of the role's task or service
    a file of somebody's adapter         a profile.json of ours beside it
    __pycache__/worker_options.*.pyc     its name: Python leaves it where the module was imported

Links are never ours, whatever they point at.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Set
from fnmatch import fnmatchcase
from pathlib import Path
from types import MappingProxyType
from typing import Final

_PRODUCT: Final = "temporal-dsql-config"
_HEAD: Final = f"# {_PRODUCT} "
_ROLES: Final = ("history", "matching", "frontend", "worker")
PROFILE: Final = "profile.json"

MARKS: Final = MappingProxyType({
    "dynamicconfig.yaml": _HEAD, "dsql.env": _HEAD, "compose.yaml": _HEAD,
    "worker_options.py": _HEAD, "worker_options.go": f"// {_PRODUCT} ",
    "why.md": f"compiled by {_PRODUCT} ", PROFILE: '"compiler_version"',
    **{f"ecs/{role}.json": f'"family": "temporal-{role}"' for role in _ROLES},
    **{f"ecs/services/{role}.json": f'"serviceName": "temporal-{role}"' for role in _ROLES},
})  # fmt: skip
"""Every file that the product's own adapters may write, and what it holds near its start."""

_LEFT_BY_PYTHON: Final = "__pycache__/worker_options.*.pyc"

_START_BYTES: Final = 65_536
"""Bytes that are searched for a mark; it stands within the first few thousand."""


def is_ours(place: Path, path: str, written: Set[str]) -> bool:
    """Whether the file `path` below the folder `place` is ours; `written` are the paths that are
    about to be written. False where there is none. Raises `OSError` for a file that cannot be read.
    """
    file = place / path
    if file.is_symlink() or not file.is_file():
        return False
    if mark := MARKS.get(path):
        with file.open("rb") as stream:
            return mark.encode() in stream.read(_START_BYTES)
    if path in written:
        return is_ours(place, PROFILE, written)
    return fnmatchcase(path, _LEFT_BY_PYTHON)


def foreign(place: Path, written: Set[str]) -> Iterator[str]:
    """Files and links below a folder that are not ours, in a stable order, found as asked for."""
    for folder, folders, names in os.walk(place):
        folders.sort()
        links = [name for name in folders if Path(folder, name).is_symlink()]
        for name in sorted((*names, *links)):
            path = Path(folder, name).relative_to(place).as_posix()
            if not is_ours(place, path, written):
                yield path


def in_the_way(place: Path, written: Set[str]) -> Iterator[str]:
    """What is not ours and stands where one of the paths has to go: a file at its place, or a file
    or link where one of its folders is needed."""
    told: set[str] = set()
    for path in sorted(written):
        steps = [place.joinpath(*path.split("/")[:n]) for n in range(1, path.count("/") + 1)]
        blocked = next((s for s in steps if os.path.lexists(s) and not _is_folder(s)), None)
        if blocked is None and os.path.lexists(place / path):
            blocked = None if is_ours(place, path, written) else place / path
        name = blocked.relative_to(place).as_posix() if blocked else None
        if name and name not in told:
            told.add(name)
            yield name


def left_over(place: Path, written: Set[str]) -> tuple[str, ...]:
    """Files of ours in a folder that are not among those about to be written, in a stable order."""
    known = [path for path in MARKS if path not in written]
    cached = (p.relative_to(place).as_posix() for p in place.glob(_LEFT_BY_PYTHON))
    apart = [path for path in (*known, *sorted(cached)) if _is_within(place, path)]
    return tuple(path for path in apart if is_ours(place, path, written))


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _is_within(place: Path, path: str) -> bool:
    """Whether no folder on the way to a path is a link to elsewhere."""
    parents = Path(path).parents
    return not any((place / parent).is_symlink() for parent in parents if parent != Path())
