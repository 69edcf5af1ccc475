"""Silence becomes data: the sample that says that no sample came.

Theory of operation. Slot S of a cluster is *overdue* when S + interval + lateness has passed and
nothing of S or a later slot has reached the fold. The watchdog then puts an all-missing sample for
the newest overdue slot on the samples topic, where it takes its place in the partition's order like
any other message: the log shows when sight was lost, and a re-fold sees the same.

Only the newest overdue slot is filled, so an outage of our own of any length costs one message per
cluster; the fold closes the gap before it. A slot is filled once per life of the process; after a
restart it may be filled again, which the fold takes as a duplicate. A true sample that arrives
later is recorded as late.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from whenever import Instant

from copilot_core.fold import ClusterState, initial
from copilot_core.readings import Missing
from copilot_core.samples import Sample, all_missing

SOURCE = "watchdog"


class Watchdog:
    """Decides which slots are overdue. Pure but for its memory of what it filled already.

    `expected` maps clusters that should report to their interval in seconds (from the clusters
    file); None means: every cluster that has reported. `since` is when watching began: a cluster
    that never reported is overdue from its first whole slot after that.
    """

    def __init__(
        self, *, since: Instant, lateness_s: float, expected: Mapping[str, int] | None = None
    ) -> None:
        self._since = since
        self._lateness_s = lateness_s
        self.expected = expected
        self._filled: dict[str, int] = {}

    def overdue(
        self, states: Mapping[str, ClusterState], now: Instant, *, mine: Callable[[str], bool]
    ) -> list[Sample]:
        """The all-missing samples to send now for the clusters of one shard.

        `states` are those of the shard's writer; `mine` tells whether a cluster's samples come by
        this shard. Each sample is returned once; the caller sends it or loses it until the next
        slot.
        """
        watched = states if self.expected is None else self.expected
        samples = (
            self._overdue(states.get(cluster) or initial(cluster), now)
            for cluster in sorted(watched)
            if mine(cluster)
        )
        return [sample for sample in samples if sample is not None]

    def _overdue(self, state: ClusterState, now: Instant) -> Sample | None:
        interval_s = state.interval_s or (self.expected or {}).get(state.cluster, 0)
        if not interval_s:
            return None
        newest = int((now.timestamp() - interval_s - self._lateness_s) // interval_s) * interval_s
        if newest <= self._reached(state, interval_s):
            return None
        self._filled[state.cluster] = newest
        return all_missing(
            Missing.NO_SAMPLE,
            cluster=state.cluster,
            slot=newest,
            interval_s=interval_s,
            source=SOURCE,
        )

    def _reached(self, state: ClusterState, interval_s: int) -> int:
        """The last slot of a cluster that needs no filling."""
        folded = max(state.last_slot, state.held.slot if state.held else 0)
        if not folded:
            folded = int(self._since.timestamp() // interval_s) * interval_s
        return max(folded, self._filled.get(state.cluster, 0))
