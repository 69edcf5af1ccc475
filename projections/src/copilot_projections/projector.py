"""The projector: keeps the live build of every view up with the log.

Theory of operation. One round looks at the log's heads and at which builds are live, and lets every
view take in at most one batch per shard, all views side by side. So no view holds up another for
longer than a batch. When a round leaves something to do, the next one follows at once; after one
that took something in comes a pause of `POLL_MIN_S`, and while nothing happens the pause doubles up
to the limit that was set. So what follows from an event (its explanation) is shown soon after it.

    a view is not shown yet           its first build is made
    its live build has changed        it follows the new one from the next round on
    the build has another shape       it waits for a flip; the others go on
    Conflict                          taken up again in the next round
    Unavailable                       nothing moves; the next round tries again, readiness says so
    Rejected (pause), Defect, others  that view stops until another build of it is shown; the
                                      others go on

No view left: the process ends with `Defect`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import asyncpg
import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge

from copilot_core.errors import Conflict, CopilotError, Defect, Unavailable
from copilot_eventlog.protocol import EventLog
from copilot_eventlog.statements import Dialect
from copilot_projections.builds import first_build, live_builds
from copilot_projections.follower import BATCH_EVENTS, Follower, OnPoison, ends_of
from copilot_projections.shape import View
from copilot_service import Service

_log = structlog.get_logger(__name__)

POLL_MIN_S: Final = 0.05


class _Metrics:
    """What the projector tells about itself."""

    def __init__(self, registry: CollectorRegistry) -> None:
        by_view = ["view"]
        self.lag = Gauge(
            "copilot_view_lag_events",
            "Events in the log that the live build has not taken in",
            ["view", "shard"],
            registry=registry,
        )
        self.events = Counter(
            "copilot_view_events_total", "Events taken in", by_view, registry=registry
        )
        self.letters = Counter(
            "copilot_view_dead_letters_total",
            "Events that the view could not take",
            by_view,
            registry=registry,
        )
        self.conflicts = Counter(
            "copilot_view_conflicts_total",
            "Batches given up because the checkpoint had been moved",
            by_view,
            registry=registry,
        )
        self.stopped = Gauge(
            "copilot_view_stopped", "1 when the view has stopped", by_view, registry=registry
        )


@dataclass(slots=True)
class _Lane:
    """One view and who follows its live build; `follower` is None until there is a build.

    `stopped_on` is the build that the view stopped on, empty where there was none yet; another
    live build starts it again. `told` are the counts that the metrics have already.
    """

    view: View
    follower: Follower | None = None
    stopped_on: str | None = None
    told: dict[str, int] = field(default_factory=dict)


class Projector:
    """Keeps views up with a log; see the module's docstring.

    `pool` leads to the database of the views, `owner` names this process in the checkpoints.
    """

    def __init__(
        self,
        log: EventLog,
        pool: asyncpg.Pool,
        views: Iterable[View],
        *,
        service: Service,
        dialect: Dialect,
        owner: str,
        on_poison: OnPoison = OnPoison.CONTINUE,
        batch_events: int = BATCH_EVENTS,
        poll_max_s: float = 0.5,
    ) -> None:
        self._log = log
        self._pool = pool
        self._lanes = [_Lane(view) for view in views]
        self._service = service
        self._dialect = dialect
        self._owner = owner
        self._on_poison = on_poison
        self._batch_events = batch_events
        self._poll_max_s = poll_max_s
        self._metrics = _Metrics(service.registry)

    async def run(self) -> None:
        """Run rounds until the service is stopping.

        Raises `Defect` when every view has stopped.
        """
        stopping, pause_s = self._service.stopping, POLL_MIN_S
        while not stopping.is_set():
            before = self._taken_in()
            try:
                more = await self.round()
            except Unavailable as e:
                self._service.set_ready("store", False, why=str(e))
                more = False
            else:
                self._service.set_ready("store", True)
                self._service.progress()
            moved = more or self._taken_in() != before
            pause_s = POLL_MIN_S if moved else min(2 * pause_s, self._poll_max_s)
            if not more:
                await _pause(stopping, pause_s)

    def _taken_in(self) -> list[dict[int, int]]:
        return [dict(lane.follower.positions) for lane in self._lanes if lane.follower]

    async def round(self) -> bool:
        """One look at the log and at most one batch per view and shard; True when there is more.

        Raises `Unavailable` when log or tables are away, `Defect` when every view has stopped.
        """
        ends, live = await ends_of(self._log), await live_builds(self._pool)
        lanes = [(lane, live.get(lane.view.name, "")) for lane in self._lanes]
        running = [(lane, build) for lane, build in lanes if lane.stopped_on != build]
        # Every lane ends its round before the next one begins, whatever became of the others.
        outcomes = await asyncio.gather(
            *(self._lane_round(lane, build, ends) for lane, build in running)
        )
        if all(lane.stopped_on == build for lane, build in lanes):
            raise Defect("every view has stopped", where="projector", todo="see the errors above")
        for away in outcomes:
            if isinstance(away, Unavailable):
                raise away
        return any(outcomes)

    async def _lane_round(
        self, lane: _Lane, build: str, ends: dict[int, int]
    ) -> bool | Unavailable:
        name = lane.view.name
        try:
            return await self._advance(lane, build, ends)
        except Conflict as e:
            _log.info("taken up again", view=name, what=e.what, where=e.where)
            return True
        except Unavailable as e:
            return e
        except CopilotError as e:
            self._stop(lane, build, e.what, where=e.where, todo=e.todo)
        except Exception as e:  # noqa: BLE001 - the boundary of one view: the others go on
            self._service.unexpected.labels(f"view {name}").inc()
            self._stop(lane, build, f"{type(e).__name__}: {e}", error=e)
        return False

    def _stop(
        self,
        lane: _Lane,
        build: str,
        what: str,
        *,
        where: str = "",
        todo: str = "see the traceback",
        error: Exception | None = None,
    ) -> None:
        lane.stopped_on, follower = build, lane.follower
        self._metrics.stopped.labels(lane.view.name).set(1)
        self._service.set_ready(f"view {lane.view.name}", False, why=what)
        _log.error(
            "view stopped",
            view=lane.view.name,
            build=build,
            positions=follower.positions if follower else {},
            what=what,
            where=where,
            todo=todo,
            exc_info=error,
        )

    async def _advance(self, lane: _Lane, build: str, ends: dict[int, int]) -> bool:
        view = lane.view
        if not build:
            build = await first_build(self._pool, view, dialect=self._dialect)
        if not view.reads(build):
            why = f"build {build} is shown, this program writes shape {view.shape}"
            self._service.set_ready(f"view {view.name}", False, why=why)
            return False
        if lane.follower is None or lane.follower.build != build:
            _log.info("following", view=view.name, build=build)
            lane.told, lane.stopped_on = {}, None
            self._metrics.stopped.labels(view.name).set(0)
            lane.follower = Follower(
                self._log,
                self._pool,
                view=view,
                build=build,
                owner=self._owner,
                on_poison=self._on_poison,
                batch_events=self._batch_events,
            )
        self._service.set_ready(f"view {view.name}", True)
        try:
            return await lane.follower.advance(ends)
        finally:
            self._tell(lane, lane.follower, ends)

    def _tell(self, lane: _Lane, follower: Follower, ends: dict[int, int]) -> None:
        """Bring the metrics up to what the follower has counted."""
        for shard, end in ends.items():
            lag = end - follower.positions.get(shard, -1)
            self._metrics.lag.labels(lane.view.name, str(shard)).set(lag)
        for name, counter in (
            ("events", self._metrics.events),
            ("dead_letters", self._metrics.letters),
            ("conflicts", self._metrics.conflicts),
        ):
            count = getattr(follower, name)
            counter.labels(lane.view.name).inc(count - lane.told.get(name, 0))
            lane.told[name] = count


async def _pause(stopping: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stopping.wait(), seconds)
