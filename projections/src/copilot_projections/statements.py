"""The SQL files of the views: `sql/<view>/<statement>.sql`, each with its bind list on top.

The files are written for Aurora DSQL and name their tables `view_<table>__build`; the id of a build
takes the place of `build`. `sql/builds/` holds the statements about builds and checkpoints.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Final

from copilot_core.errors import Defect

_SQL: Final = files("copilot_projections") / "sql"
_BUILD_ID: Final = re.compile(r"[1-9][0-9]{0,5}_[1-9][0-9]{0,8}")
_BUILD_SUFFIX: Final = "__build"


@cache
def statement(folder: str, name: str) -> str:
    """The text of `sql/<folder>/<name>.sql` as it lies there."""
    return (_SQL / folder / f"{name}.sql").read_text("utf-8")


@cache
def of_build(view: str, name: str, build: str) -> str:
    """A statement of a view, for the tables of one build.

    Raises `Defect` for what is no build id: it becomes part of a table's name.
    """
    if not _BUILD_ID.fullmatch(build):
        raise Defect(f"{build!r} is no build id", where=f"view {view}", todo="see es_projection")
    return statement(view, name).replace(_BUILD_SUFFIX, f"__{build}")
