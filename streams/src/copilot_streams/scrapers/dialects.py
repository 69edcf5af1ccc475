"""Which dialect a backend speaks: found by probing, remembered, never unlearned by blindness.

Theory of operation. A family's dialect is in one of three states:

    configured   the clusters file names it: never probed
    known        a probe answered once: kept while the family is silent, and changed only when the
                 known dialect is silent *and* another one answers (the software was reconfigured)
    unknown      asked again in every slot

What is unknown shows on the sample. Servers are always expected, so an unknown server dialect is a
loss: `NO_SERIES`, or the reason why the probe itself failed. SDK workers and the DSQL plugin may
not be there at all: when their probes are answered with nothing, their signals have `NO_SOURCE`.
An installation whose workers must be seen from the first slot on names its SDK dialect.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import structlog

from copilot_core.readings import Missing, Reading
from copilot_core.signals import DSQL_PROBE, SIGNALS, Family, Installation, probes, promql
from copilot_streams.scrapers.backend import Failure

log = structlog.get_logger(__name__)

Ask = Callable[[str], Awaitable[Reading | Failure]]
"""Asks one instant query; the instant is the caller's."""

PROBED: Final = (Family.SERVER, Family.SDK, Family.DSQL)


Planned = str | Missing | Failure
"""What becomes of a signal: a query to ask, or why it is not asked."""


async def probe(ask: Ask, family: Family) -> str | Missing | Failure:
    """The first dialect of a family that answers; `NO_SERIES` when none does, else why not known.

    For the DSQL plugin, which has no dialects of its own, the answer is `"dsql"`.
    """
    candidates = (("dsql", DSQL_PROBE),) if family is Family.DSQL else tuple(probes(family))
    worst: Missing | Failure = Missing.NO_SERIES
    for dialect, query in candidates:
        answer = await ask(query)
        if isinstance(answer, float):
            return dialect
        if isinstance(answer, Failure):
            worst = answer
    return worst


@dataclass(frozen=True, slots=True)
class View:
    """An installation as far as it is known, and why the rest is not.

    `unresolved` maps a family to the reason that its signals carry until its dialect is known.
    """

    installation: Installation
    unresolved: Mapping[Family, Missing | Failure] = field(default_factory=dict)

    def plan(self, window_s: int) -> list[tuple[str, Planned]]:
        """Every signal in table order with its query, or with the reason why it is not asked."""
        return [
            (
                signal.name,
                promql(signal, self.installation, window_s)
                or self.unresolved.get(signal.family, Missing.NO_SOURCE),
            )
            for signal in SIGNALS
        ]


class DialectMemory:
    """What is known about the dialects of one backend.

    `server` and `sdk` are dialect ids that the clusters file fixes, None for those to be probed.
    `again_s` is how often known families are probed again, in event seconds.
    """

    def __init__(
        self,
        *,
        cluster: str,
        server: str | None,
        sdk: str | None,
        instance_label: str,
        again_s: int,
    ) -> None:
        self._cluster = cluster
        self._instance_label = instance_label
        self._again_s = again_s
        self._fixed = {
            family: dialect
            for family, dialect in ((Family.SERVER, server), (Family.SDK, sdk))
            if dialect is not None
        }
        self._known: dict[Family, str] = dict(self._fixed)
        self._checked_at: dict[Family, int] = {}

    async def look(self, ask: Ask, slot: int) -> View:
        """Probe what has to be probed at this slot, and say what is known now."""
        unresolved: dict[Family, Missing | Failure] = {}
        for family in PROBED:
            if self._due(family, slot):
                found = await self._look_at(ask, family)
                self._checked_at[family] = slot
                if family not in self._known and isinstance(found, Missing | Failure):
                    unresolved[family] = found
        return view_of(self._known, unresolved, instance_label=self._instance_label)

    def _due(self, family: Family, slot: int) -> bool:
        if family in self._fixed:
            return False
        if family not in self._known:
            return True
        return slot - self._checked_at.get(family, 0) >= self._again_s

    async def _look_at(self, ask: Ask, family: Family) -> str | Missing | Failure:
        """Probe a family; a known dialect that still answers is kept, whatever else answers."""
        known = self._known.get(family)
        if known is not None and family is not Family.DSQL:
            query = dict(probes(family))[known]
            if not isinstance(await ask(query), Missing):
                return known  # it answers, or the backend cannot say
        found = await probe(ask, family)
        if not isinstance(found, Missing | Failure) and found != known:
            log.info(
                "dialect found", cluster=self._cluster, family=family, dialect=found, before=known
            )
            self._known[family] = found
        return found


def view_of(
    known: Mapping[Family, str],
    unresolved: Mapping[Family, Missing | Failure],
    *,
    instance_label: str,
) -> View:
    """Turn what is known per family, and why the rest is not, into a view."""
    reasons = dict(unresolved)
    for family in (Family.SDK, Family.DSQL):
        if reasons.get(family) is Missing.NO_SERIES:
            reasons[family] = Missing.NO_SOURCE
    if Family.SERVER in reasons and Family.DSQL not in known:
        reasons[Family.DSQL] = reasons[Family.SERVER]  # the plugin lives inside the server
    installation = Installation(
        server=known.get(Family.SERVER),
        sdk=known.get(Family.SDK),
        dsql=Family.DSQL in known,
        instance_label=instance_label,
    )
    return View(installation, reasons)
