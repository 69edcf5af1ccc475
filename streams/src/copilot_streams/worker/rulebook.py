"""Which rules judge which cluster: read once, at the start.

A cluster's own overlay (`rules` in the clusters file) takes the place of `COPILOT_RULES_FILE`; both
lie over the rules as shipped. Rules change by a restart, so that a running process judges by one
digest per cluster.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from copilot_core.errors import Rejected
from copilot_core.rules import RulePack, load_rules
from copilot_streams.clusters import Cluster


class Rulebook:
    """Rules by cluster. Raises `Rejected` for a rule file that cannot be read or is wrong."""

    def __init__(self, rules_file: Path | None, clusters: Iterable[Cluster] = ()) -> None:
        self.default = _read(rules_file) if rules_file else RulePack.default()
        self._own = {c.id: _read(c.rules) for c in clusters if c.rules is not None}

    def of(self, cluster: str) -> RulePack:
        """The rules for a cluster."""
        return self._own.get(cluster, self.default)


def _read(path: Path) -> RulePack:
    try:
        return load_rules(path.read_text(), where=str(path))
    except (OSError, UnicodeDecodeError) as e:
        raise Rejected(f"rule file cannot be read: {e}", where=str(path), code="rules") from e
