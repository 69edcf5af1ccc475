"""`dynamicconfig.yaml`: the entries of a profile in the server's own YAML dialect.

Theory of operation. The server reads a map of key to a list of `{value, constraints}`. It refuses a
file in which a key comes twice, so entries of one key become one list. It reads scalars as YAML 1.2
does, where `on` is a text and `1e3` a number; every text is therefore quoted. Entries that equal
the server's default are not written; the file ends by naming them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import groupby

from copilot_core.values import Scalar
from dsql_config.parameters import GROUPS, PARAMETERS
from dsql_config.profile import Entry, Profile
from dsql_config.stamp import stamp


def render(profile: Profile) -> bytes:
    """The file: the stamp, then each written key below the name of its group and its reason."""
    written = [entry for entry in profile.dynamic_config if entry.written]
    lines = [*stamp(profile)]
    for group, parameters in GROUPS.items():
        names = {parameter.name for parameter in parameters}
        entries = [entry for entry in written if entry.parameter in names]
        if entries:
            lines += ["", f"# ---- {group}", *_keys(entries)]
    if not written:
        lines += ["", "{}"]  # a map without keys: an empty document is not one
    lines += _defaults(profile)
    return "\n".join((*lines, "")).encode()


def _keys(entries: Iterable[Entry]) -> list[str]:
    """The keys in order of their names, each once with all its values."""
    lines: list[str] = []
    for key, of_key in groupby(sorted(entries, key=lambda e: e.key), key=lambda e: e.key):
        values = list(of_key)
        reasons = dict.fromkeys(PARAMETERS[entry.parameter].why for entry in values)
        lines += [*(f"# {why}" for why in reasons), f"{key}:"]
        for entry in values:
            lines.append(f"- value: {scalar(entry.value)}")
            if entry.constraints:
                lines.append("  constraints:")
                lines += [f"    {name}: {scalar(v)}" for name, v in entry.constraints.items()]
    return lines


def _defaults(profile: Profile) -> list[str]:
    """What was decided and not written, because the server does the same by itself."""
    same = [entry for entry in profile.dynamic_config if not entry.written]
    if not same:
        return []
    title = f"# ---- not written: the defaults of server {profile.server_version} already"
    return ["", title, *(f"# {entry.key}: {scalar(entry.value)}" for entry in same)]


def scalar(value: Scalar) -> str:
    """A value such that YAML reads the same value with the same type: texts as JSON, in quotes."""
    return json.dumps(value)
