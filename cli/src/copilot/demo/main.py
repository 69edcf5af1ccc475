"""`copilot demo`: the line on this machine, an incident through it, and the proof.

Theory of operation. Components first, then the processes, then the incident; the timeline is read
from the public topic while slots are played. When the last slot was sent, four things are waited
for: the log has folded the last message, every transition is put into words, the public topic has
shown every decision and every explanation in the log, and the read models answer for the last slot.
Then the log is folded again, and the incident is told in words.
"""

from __future__ import annotations

import asyncio
import signal
import tempfile
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import typer
from whenever import Instant

from copilot.all_in_one import Components, components
from copilot.demo.play import Incident, play, read_incident
from copilot.demo.show import Show
from copilot.demo.watch import Api, published
from copilot.embedded.child import free_port
from copilot.log_audit import events_of, refold
from copilot.settings import forget_ours
from copilot.supervisor import Supervisor, copilot_part
from copilot.terminal import note
from copilot.timeline import OBSERVATIONS
from copilot_core.errors import Conflict, CopilotError, Unavailable
from copilot_core.events import HealthTransitioned, RecordedEvent, TransitionExplained
from copilot_core.rules import RulePack
from copilot_eventlog.postgres import PostgresLog, open_log
from copilot_service.process import first_error
from copilot_workflows.following import partition_shards

PARTS: Final = ("worker", "explainer", "relay", "projector", "api")
PARTITIONS: Final = 1
"""One cluster is one partition, whatever their number."""

WITHIN_S: Final = 60.0
"""Longest wait for any one step; on a quiet machine each takes a few seconds."""
POLL_S: Final = 0.1
TEN_YEARS_S: Final = 10 * 365 * 86_400
"""The watchdog's patience: slots of a recording are as old as the recording."""

INTERRUPTED: Final = 130


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for on the command line. `speed` 0: no pauses; `port` 0: a free one."""

    recording: Path
    speed: float
    serve: bool
    as_json: bool
    port: int


@dataclass(frozen=True, slots=True)
class Line:
    """The line while it runs."""

    found: Components
    log: PostgresLog
    api: Api


async def demo(wish: Wish) -> None:
    """Play the incident; raises `Conflict` when folding the log again gives another digest."""
    forget_ours()
    me = asyncio.current_task()
    assert me is not None
    for sign in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(sign, me.cancel)
    incident = read_incident(wish.recording, now=Instant.now())
    show = Show(incident, as_json=wish.as_json)
    with tempfile.TemporaryDirectory(prefix="copilot-demo-") as folder:
        try:
            async with running(Path(folder), port=wish.port or free_port()) as line:
                await _demo(line, incident, wish, show)
        except asyncio.CancelledError:
            note("copilot: interrupted; nothing is left behind")
            raise typer.Exit(INTERRUPTED) from None
        except BaseExceptionGroup as group:
            show.last_words(Path(folder))
            raise first_error(group) from group
        except CopilotError:
            show.last_words(Path(folder))
            raise


@asynccontextmanager
async def running(folder: Path, *, port: int) -> AsyncGenerator[Line]:
    """Start components and processes; all of them end with the block.

    What the processes write goes to `<folder>/<part>.log`.
    """
    async with AsyncExitStack() as stack:
        found = await stack.enter_async_context(
            components(log=None, kafka=None, partitions=PARTITIONS, data_dir=None)
        )
        log = await open_log(found.log)
        stack.push_async_callback(log.close)
        api = Api(f"http://127.0.0.1:{port}")
        stack.push_async_callback(api.close)
        env = {
            **found.env,
            "COPILOT_API_PORT": str(port),
            "COPILOT_WORKER_ID": "demo",
            "COPILOT_WATCHDOG_LATENESS_S": str(TEN_YEARS_S),
            "COPILOT_LOG_FORMAT": "console",
        }
        parts = [copilot_part(name, env=env, output=folder / f"{name}.log") for name in PARTS]
        stopping = asyncio.Event()
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        supervising = tasks.create_task(Supervisor(parts).run(stopping))
        ending = tasks.create_task(found.ended())
        yield Line(found, log, api)
        ending.cancel()
        stopping.set()
        await supervising


async def _demo(line: Line, incident: Incident, wish: Wish, show: Show) -> None:
    show.starting()
    await line.api.ready(WITHIN_S)
    await _until_owned(line.log)
    show.started(line.api.url)
    async with published(line.found.kafka) as events, asyncio.TaskGroup() as tasks:
        seen = tasks.create_task(_follow(events, show))
        sent = await play(incident, line.found.kafka, speed=wish.speed, played=show.played)
        await _folded(line.log, last_offset=sent - 1)
        await _shown(show, await _explained(line.log))
        seen.cancel()
    slots = [sample.slot for sample in incident.samples]
    status = await line.api.status_of_slot(incident.cluster, slots[-1], WITHIN_S)
    incidents = await line.api.incidents(incident.cluster, slots[0], slots[-1])
    proof = await refold(line.log, lambda _: RulePack.default())
    show.result(status, incidents, proof, line.api.url if wish.serve else None)
    if not proof.agrees:
        raise Conflict(
            "folding the log again gives another digest",
            where=f"log {proof.digest}, folded again {proof.refold_digest}",
            todo="this must not happen: please report it with the output of copilot demo --json",
        )
    if wish.serve:
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()


async def _follow(events: AsyncIterator[RecordedEvent], show: Show) -> None:
    async for event in events:
        show.event(event)


async def _until_owned(log: PostgresLog) -> None:
    """Wait until the worker has taken every shard over; then each sample is folded at once."""
    await _until(lambda: _owned(log), what="the worker has not taken its shards over")


async def _owned(log: PostgresLog) -> bool:
    return len(await partition_shards(log)) == PARTITIONS


async def _folded(log: PostgresLog, *, last_offset: int) -> None:
    """Wait until the last message is folded."""

    async def folded() -> bool:
        heads = [await log.head(shard) for shard in await partition_shards(log)]
        return all(head is not None and head.source_offset >= last_offset for head in heads)

    await _until(folded, what=f"the worker has not folded offset {last_offset}")


async def _explained(log: PostgresLog) -> int:
    """Wait until every transition is put into words; returns how many events a timeline shows."""
    shown = 0

    async def explained() -> bool:
        nonlocal shown
        types = Counter(
            [
                event.type
                for shard in await log.shards()
                async for event in events_of(log, shard=shard)
            ]
        )
        shown = sum(n for type_, n in types.items() if type_ not in OBSERVATIONS)
        return types[TransitionExplained.__name__] == types[HealthTransitioned.__name__]

    await _until(explained, what="the explainer has not explained every transition")
    return shown


async def _shown(show: Show, decisions: int) -> None:
    async def shown() -> bool:
        return show.events >= decisions

    await _until(
        shown, what=f"the relay has not published all of the {decisions} events of the timeline"
    )


async def _until(holds: Callable[[], Awaitable[bool]], *, what: str) -> None:
    try:
        async with asyncio.timeout(WITHIN_S):
            while not await holds():  # noqa: ASYNC110  other processes set no event of ours
                await asyncio.sleep(POLL_S)
    except TimeoutError as e:
        raise Unavailable(f"{what} after {WITHIN_S:.0f} s", where="copilot demo") from e
