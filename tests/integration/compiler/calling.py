"""Calling `temporal-dsql-config`, in this process or as installed, and what it left behind."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

SCRIPT: Final = Path(sys.executable).with_name("temporal-dsql-config")


@dataclass(frozen=True, slots=True)
class Called:
    """What one call left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """Standard output as one JSON document."""
        return orjson.loads(self.out)

    @property
    def findings(self) -> list[tuple[str, str]]:
        """Code and key of each error."""
        return [(f["code"], f["key"]) for f in self.json["findings"] if f["severity"] == "error"]


Call = Callable[..., Called]
"""The fixture `call`: arguments, and `stdin` by name."""


def script(*args: object, folder: Path, stdin: bytes = b"", **env: str) -> Called:
    """Call the installed console script."""
    done = subprocess.run(
        [SCRIPT, *map(str, args)], input=stdin, capture_output=True, check=False, cwd=folder,
        env={"PATH": os.environ["PATH"], **env}, timeout=60,
    )  # fmt: skip
    return Called(done.returncode, done.stdout.decode(), done.stderr.decode())


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    files = (p for p in folder.rglob("*") if p.is_file())
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in files}
