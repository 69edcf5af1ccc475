"""Record what workflows leave behind on a real server, to be replayed for ever.

    python -m tests.integration.workflows.record_histories

A history is written once and never changed: a workflow that is changed must still replay it. Each
run writes those whose names are not there yet, so a new version of a course gets a new name in
`SCENES`, with what is different about it.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from temporalio.client import WorkflowHandle

from copilot_eventlog.memory import MemoryLog
from copilot_workflows.agents.requests import TextKind
from copilot_workflows.assess_on_schedule.messages import AssessRound
from copilot_workflows.names import ASSESS_ON_SCHEDULE, SYNC_KNOWLEDGE
from copilot_workflows.subjects import Subject
from copilot_workflows.sync_knowledge.messages import SyncRound
from tests.infra.components import temporal_server_file
from tests.infra.temporal import Temporal
from tests.integration.workflows.agents_process import Agents, running_agents, settings_of
from tests.integration.workflows.incidents import fill, pages, subjects

HISTORIES: Final = Path(__file__).parents[2] / "golden" / "histories"


@dataclass(frozen=True, slots=True)
class Scene:
    """A history: what it is called, the stub that is the model, which kind of text it is about."""

    name: str
    model: str = "none"
    dispatcher: str = "none"
    kind: TextKind = TextKind.TRANSITION
    timeout_s: float = 30.0


SCENES: Final = (
    Scene("explain_transition-1-by-rules"),
    Scene("explain_transition-1-by-model", "obedient", "obedient"),
    Scene("explain_transition-1-not-worth-it", "obedient", "uninterested"),
    Scene("explain_transition-1-provider-fails", "failing"),
    Scene("explain_transition-1-too-slow", "slow", timeout_s=1.0),
    Scene("explain_transition-1-tools", "random_form"),
    Scene("review_incident-1-by-model", "obedient", kind=TextKind.INCIDENT),
    Scene("assess_state-1-by-model", "obedient", kind=TextKind.STATE),
)
ROUNDS: Final = ("assess_on_schedule-1", "sync_knowledge-1")


async def record(address: str) -> None:
    """Write the histories that are not there yet."""
    HISTORIES.mkdir(exist_ok=True)
    for number, scene in enumerate(SCENES):
        if not _file(scene.name).exists():
            await _scene(address, scene, f"recorded-{number}")
    for number, name in enumerate(ROUNDS):
        if not _file(name).exists():
            await _round(address, name, f"round-{number}")


async def _scene(address: str, scene: Scene, cluster: str) -> None:
    log = MemoryLog()
    subject = await _subject(log, scene.kind, cluster)
    settings = settings_of(
        address,
        queue=cluster,
        model=scene.model,
        dispatcher=scene.dispatcher,
        model_timeout_s=scene.timeout_s,
    )
    async with running_agents(settings, log) as there:
        handle = await there.start(subject)
        await handle.result()
        await _write(scene.name, handle)


async def _subject(log: MemoryLog, kind: TextKind, cluster: str) -> Subject:
    recorded = await fill(log, pages(cluster=cluster))
    if kind is TextKind.STATE:
        ranked = [e for e in recorded if e.type == "CausesRanked"][2]
        at = ranked.occurred_at.timestamp()
        return Subject(cluster=cluster, explains=ranked.event_id, at=at, kind=kind)
    return [s for s in subjects(recorded) if s.kind is kind][-1]


async def _round(address: str, name: str, cluster: str) -> None:
    log = MemoryLog()
    await fill(log, pages("o1-workers-stopped", cluster=cluster)[:40])
    async with running_agents(
        settings_of(address, queue=cluster), log, unhappy=(cluster,)
    ) as there:
        handle = await _start_round(there, name)
        await handle.result()
        await _write(name, handle)


async def _start_round(there: Agents, name: str) -> WorkflowHandle:
    workflow = ASSESS_ON_SCHEDULE if name.startswith(ASSESS_ON_SCHEDULE) else SYNC_KNOWLEDGE
    asked = AssessRound() if workflow == ASSESS_ON_SCHEDULE else SyncRound()
    queue = there.settings.temporal_task_queue
    return await there.client.start_workflow(
        workflow, asked, id=f"{name}-{queue}", task_queue=queue
    )


async def _write(name: str, handle: WorkflowHandle) -> None:
    history = _anonymous(json.loads((await handle.fetch_history()).to_json()))
    _file(name).write_text(json.dumps(history, indent=1, sort_keys=True) + "\n")
    print(f"wrote {_file(name)}")


def _anonymous(value: Any) -> Any:
    """A history without the machine it was recorded on: no names of processes, no paths."""
    if isinstance(value, list):
        return [_anonymous(item) for item in value]
    if isinstance(value, dict):
        told = {"identity": "recorder", "stackTrace": ""}
        return {k: told[k] if k in told else _anonymous(v) for k, v in value.items()}
    return value


def _file(name: str) -> Path:
    return HISTORIES / f"{name}.json"


def main() -> None:
    """Record on a server of our own."""
    with TemporaryDirectory(prefix="copilot-histories-") as folder:
        dynamic_config = Path(folder) / "dynamicconfig.yaml"
        dynamic_config.write_text("{}\n")
        with Temporal(
            temporal_server_file(), Path(folder), dynamic_config=dynamic_config
        ) as server:
            asyncio.run(record(server.address))


if __name__ == "__main__":
    main()
