"""Workflow code is deterministic: every history that was ever recorded replays."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic_ai.durable_exec.temporal import PydanticAIPlugin
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from copilot_workflows.names import (
    ASSESS_ON_SCHEDULE,
    ASSESS_STATE,
    EXPLAIN_TRANSITION,
    REVIEW_INCIDENT,
    SYNC_KNOWLEDGE,
)
from copilot_workflows.worker.main import WORKFLOWS
from tests.integration.workflows.record_histories import HISTORIES, ROUNDS, SCENES

DEADLOCK, PATIENCE = "TMPRL1101", 5
"""What the SDK says of a thread that got no turn for two seconds, as on a busy machine."""
FILES = sorted(HISTORIES.glob("*.json"))


def replayer() -> Replayer:
    """What replays as a worker does: sandbox, converter and agents included."""
    return Replayer(workflows=list(WORKFLOWS), plugins=[PydanticAIPlugin()])


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
async def test_a_recorded_history_replays(file: Path) -> None:
    """The present code takes the way that was taken then, to the end."""
    history = WorkflowHistory.from_json(file.stem, file.read_text())
    for _ in range(PATIENCE):
        replayed = await replayer().replay_workflow(history, raise_on_replay_failure=False)
        if DEADLOCK not in str(replayed.replay_failure):
            break
    assert replayed.replay_failure is None


def test_every_scene_is_recorded() -> None:
    """Nobody adds a scene and forgets to record it, and every workflow has one."""
    assert {file.stem for file in FILES} >= {*(scene.name for scene in SCENES), *ROUNDS}
    recorded = {file.stem.partition("-")[0] for file in FILES}
    assert recorded == {
        EXPLAIN_TRANSITION, REVIEW_INCIDENT, ASSESS_ON_SCHEDULE, ASSESS_STATE, SYNC_KNOWLEDGE
    }  # fmt: skip


async def test_another_way_is_noticed() -> None:
    """A history in which an activity has another name fails to replay: the check can fail."""
    file = HISTORIES / "explain_transition-1-by-rules.json"
    other = json.loads(file.read_text().replace("tell_by_rules", "tell_by_hand"))
    with pytest.raises(Exception, match=r"tell_by_rules|[Nn]ondeterminism"):
        await replayer().replay_workflow(WorkflowHistory.from_json(file.stem, other))
