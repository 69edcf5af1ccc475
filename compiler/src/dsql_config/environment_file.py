"""`dsql.env`: the environment of the server and its DSQL plugin, for every reader of such files.

Theory of operation. `docker run --env-file` takes all behind `=` as it stands, Compose understands
quotes and `$`, a shell understands more. What all of them read alike is a value of plain characters
without quotes; a profile holds no others, and this file refuses to hold any.
"""

from __future__ import annotations

import re
from typing import Final

from copilot_core.errors import Defect
from dsql_config.parameters import PARAMETERS
from dsql_config.profile import Profile
from dsql_config.stamp import stamp

_PLAIN: Final = re.compile(r"[A-Za-z0-9._:/@+-]*")


def render(profile: Profile) -> bytes:
    """The file: the stamp, then a line for each variable below its reason.

    Raises `Defect` for a value that readers would take differently.
    """
    lines = [*stamp(profile)]
    for variable in profile.environment:
        if not _PLAIN.fullmatch(variable.value):
            raise Defect(
                f"{variable.name} holds characters that readers of environment files disagree on",
                where=variable.parameter,
                todo="keep such values out of the parameter's range",
            )
        lines += [
            "",
            f"# {PARAMETERS[variable.parameter].why}",
            f"{variable.name}={variable.value}",
        ]
    return "\n".join((*lines, "")).encode()
