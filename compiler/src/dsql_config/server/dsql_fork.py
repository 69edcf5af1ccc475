"""What the DSQL fork of the Temporal server knows: information beside the registries.

Theory of operation. The fork is no supported release: it was compared once, key by key, with the
settings of server 1.32 and with the keys that earlier deployments used. What was not compared is
not known, which is a third answer. Source and date stand in `data/dsql_fork.json`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import orjson

from dsql_config.server.setting import Always, Default, Json


def in_dsql_fork(key: str) -> bool | None:
    """Whether the fork of January 2026 knows a key, in any case; None where nobody has looked."""
    fork, lower = _fork(), key.lower()
    if lower in fork.present:
        return True
    return False if lower in fork.absent else None


def dsql_fork_default(key: str) -> Default | None:
    """The fork's default where it is known to differ from that of server 1.32, else None."""
    value = _fork().defaults.get(key.lower(), ...)
    return None if value is ... else Always(value)


@dataclass(frozen=True, slots=True)
class _Fork:
    """Lower-cased keys of the fork."""

    present: frozenset[str]
    absent: frozenset[str]
    defaults: Mapping[str, Json]


@cache
def _fork() -> _Fork:
    data = orjson.loads((Path(__file__).parent / "data" / "dsql_fork.json").read_bytes())
    return _Fork(
        present=frozenset(key.lower() for key in data["present"]),
        absent=frozenset(key.lower() for key in data["absent"]),
        defaults={key.lower(): value for key, value in data["defaults"].items()},
    )
