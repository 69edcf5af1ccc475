"""The worker process: `copilot run worker`, or `python -m copilot_streams.worker.main`.

The one place where its parts are put together.
"""

from __future__ import annotations

import sys

from whenever import Instant

from copilot_core.samples import SAMPLES_TOPIC
from copilot_eventlog.postgres import open_log
from copilot_eventlog.protocol import EventLog
from copilot_service import Service, run_process
from copilot_streams.agents.consumer import build_app, crash_of, running
from copilot_streams.agents.health import HealthAgent
from copilot_streams.clusters import ClustersFile
from copilot_streams.dead_letters import DeadLetters
from copilot_streams.incarnation import TopicLife, topic_life
from copilot_streams.kafka import producing
from copilot_streams.watchdog import Watchdog
from copilot_streams.worker.attendance import Attendance, intervals_of
from copilot_streams.worker.metrics import WorkerMetrics
from copilot_streams.worker.rulebook import Rulebook
from copilot_streams.worker.settings import WorkerSettings
from copilot_streams.worker.shard import Parts


async def run_worker(service: Service, settings: WorkerSettings) -> None:
    """Work until the service stops, on the log that the settings name."""
    log = await open_log(settings)
    try:
        await work(service, settings, log)
    finally:
        await log.close()


async def work(service: Service, settings: WorkerSettings, log: EventLog) -> None:
    """Work until the service stops, on a log that somebody else opened and closes."""
    clusters = ClustersFile(settings.clusters_file) if settings.clusters_file else None
    metrics = WorkerMetrics(service.registry)
    async with producing(settings) as producer:
        life = await topic_life(settings, SAMPLES_TOPIC)
        letters = DeadLetters(log, producer, service.registry)
        agent = HealthAgent(
            _parts(settings, log, life, letters, clusters),
            life,
            service,
            metrics,
            lost=letters.lost,
            patience_s=settings.worker_patience_s,
        )
        app = build_app(
            settings,
            group=settings.worker_group,
            member=settings.worker_id,
            session_timeout_s=settings.worker_session_timeout_s,
        )
        agent.attach(app)
        attendance = Attendance(
            app,
            agent,
            service,
            metrics,
            partitions=life.partitions,
            producer=producer,
            watchdog=Watchdog(
                since=Instant.now(),
                lateness_s=settings.watchdog_lateness_s,
                expected=intervals_of(clusters) if clusters else None,
            ),
            clusters=clusters,
            clock=Instant.now,
            rival_after_s=2 * settings.worker_session_timeout_s,
        )
        service.set_ready("shards", False, why="not assigned yet")
        async with running(app, settings, topic=SAMPLES_TOPIC, wanted=agent.wanted):
            await service.until_stopped(agent.pump(), attendance.run(), crash_of(app, settings))


def _parts(
    settings: WorkerSettings,
    log: EventLog,
    life: TopicLife,
    letters: DeadLetters,
    clusters: ClustersFile | None,
) -> Parts:
    rules = Rulebook(settings.rules_file, clusters.current if clusters else ())
    return Parts(
        log=log,
        topic=SAMPLES_TOPIC,
        source=life.source,
        writer=settings.worker_id,
        rules_of=rules.of,
        refuse=letters.refuse,
        clock=Instant.now,
        snapshot_every=settings.worker_snapshot_every,
    )


def main() -> int:
    """Run the worker that the environment describes; returns the exit code."""
    return run_process("worker", WorkerSettings, run_worker)


if __name__ == "__main__":
    sys.exit(main())
