"""The last known state of each cluster, for when the store is away.

Kept in memory, filled by every answered read of a status and, every few seconds, by `refresh`, so
that it also holds clusters that nobody asked for. A restart forgets it: then the answer is 503, not
a guess.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import structlog
from whenever import Instant

from copilot_api.store import Store
from copilot_core.errors import Rejected, Unavailable
from copilot_projections.explained import ExplanationLine
from copilot_projections.full_status import FullStatus
from copilot_projections.reader import ViewReader
from copilot_projections.views import clusters as clusters_view
from copilot_projections.views import explanations as explanations_view
from copilot_projections.views import status as status_view
from copilot_projections.views.clusters import ClusterSummary

log = structlog.get_logger(__name__)

_PAGE: Final = 1000


@dataclass(frozen=True, slots=True)
class Known:
    """A status, what was last said of it, and when both were read."""

    status: FullStatus
    explained: ExplanationLine | None
    read_at: Instant


@dataclass(frozen=True, slots=True)
class KnownClusters:
    """The list of clusters and when it was read."""

    clusters: tuple[ClusterSummary, ...]
    read_at: Instant


class LastKnown:
    """What was last read of each cluster, and of all of them.

    As large as the list of clusters, which is what operators wrote into their clusters file.
    """

    def __init__(self) -> None:
        self._statuses: dict[str, Known] = {}
        self.clusters: KnownClusters | None = None

    def keep(
        self, status: FullStatus, explained: ExplanationLine | None, *, read_at: Instant
    ) -> None:
        """Keep a status that was just read, and what was said of it."""
        self._statuses[status.cluster] = Known(status, explained, read_at)

    def keep_clusters(self, clusters: list[ClusterSummary], *, read_at: Instant) -> None:
        """Keep the list of clusters that was just read."""
        self.clusters = KnownClusters(tuple(clusters), read_at)

    async def refresh(self, views: ViewReader, store: Store, *, now: Instant) -> None:
        """Read the list of clusters, and the status of each that has a newer slot than is known.

        Raises `Unavailable` when the store does not answer; what was read until then is kept. A
        status that cannot be composed (recorded by a newer program) is logged and left out: it
        must not take the others with it.
        """
        clusters: list[ClusterSummary] = []
        while True:
            after = clusters[-1].cluster if clusters else ""
            page = await store.read(clusters_view.page(views, after=after, limit=_PAGE))
            clusters += page
            if len(page) < _PAGE:
                break
        self.keep_clusters(clusters, read_at=now)
        for line in clusters:
            known = self._statuses.get(line.cluster)
            if known is None or known.status.at != line.last_slot:
                try:
                    status = await store.read(status_view.current(views, line.cluster))
                except Rejected as e:
                    log.warning("no status to remember", cluster=line.cluster, what=e.what)
                    continue
                if status is not None:
                    said = await said_of(status, views, store)
                    self.keep(status, said, read_at=now)

    def status(self, cluster: str) -> Known | None:
        """What was last read of a cluster, or None."""
        return self._statuses.get(cluster)


async def said_of(status: FullStatus, views: ViewReader, store: Store) -> ExplanationLine | None:
    """What was last said of a status; None when nothing was, or when it cannot be read.

    Words explain and decide nothing: a status is told without them.
    """
    try:
        return await store.read(
            explanations_view.newest(views, status.cluster, since=status.since, to=status.at)
        )
    except (Rejected, Unavailable) as e:
        log.warning("a status without its words", cluster=status.cluster, what=e.what)
        return None
