"""Workflows on a real Temporal server, with stub models: what ends up in the log."""

from __future__ import annotations

import asyncio
import base64
import json
import time
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from temporalio.client import Client, WorkflowFailureError
from whenever import Instant

from copilot_core.errors import Unavailable
from copilot_core.events import ExplanationSource, TransitionExplained, event_id
from copilot_eventlog.direct import DirectShard, DirectWriter
from copilot_eventlog.explanation_log import key_of
from copilot_eventlog.memory import MemoryLog
from copilot_workflows.agents.requests import Composed, Reason, TextKind
from copilot_workflows.books import LogBooks
from copilot_workflows.ledger import Ledger
from copilot_workflows.subjects import EXPLAINED, Subject
from copilot_workflows.telling.activities import Doors, Telling
from copilot_workflows.telling.messages import ByRules, Conclusion, Permit, Told
from tests.infra.temporal import NAMESPACE
from tests.integration.workflows.agents_process import running_agents, settings_of
from tests.integration.workflows.incidents import explanations, fill, once, pages, subjects

if TYPE_CHECKING:
    from tests.infra.temporal import Temporal


@pytest.fixture
def name() -> str:
    """A cluster and a task queue of this test alone."""
    return f"orders-{uuid.uuid4().hex[:8]}"


async def incident(log: MemoryLog, cluster: str) -> list[Subject]:
    """A recorded incident in the log, and what has to be told of it."""
    return subjects(await fill(log, pages(cluster=cluster)))


async def test_without_a_model(temporal: Temporal, name: str) -> None:
    """Revision 1 is told for each transition and for the incident, and that is all."""
    log = MemoryLog()
    wanted = await incident(log, name)
    async with running_agents(settings_of(temporal.address, queue=name), log) as there:
        told = await asyncio.gather(*map(there.told, wanted))
    assert set(told) == {Told(revision=1, source=ExplanationSource.RULES)}
    said = await explanations(log, name)
    assert {key_of(e) for e in said} == {
        (EXPLAINED[s.kind].__name__, s.explains, 1) for s in wanted
    }
    assert once(said)


async def test_with_a_model(temporal: Temporal, name: str) -> None:
    """Revision 2 is the model's, with its name, its prompts' version and the rules' next step."""
    log = MemoryLog()
    wanted = await incident(log, name)
    settings = settings_of(temporal.address, queue=name, model="obedient", dispatcher="obedient")
    async with running_agents(settings, log) as there:
        for subject in wanted:
            assert (await there.told(subject)).source is ExplanationSource.MODEL
        labels = {"kind": "transition", "source": "model", "reason": ""}
        transitions = sum(s.kind is TextKind.TRANSITION for s in wanted)
        assert there.counted("copilot_agents_told_total", **labels) == transitions
    said = await explanations(log, name)
    assert once(said)
    assert len(said) == 2 * len(wanted)
    for subject in wanted:
        first, second = (e for e in said if key_of(e)[:2] == _key(subject))
        assert (first.revision, second.revision) == (1, 2)
        assert second.model == settings.researcher_model
        assert second.prompt_version
        assert second.explanation.next_step == first.explanation.next_step
        assert second.signature == first.signature


def _key(subject: Subject) -> tuple[str, object]:
    return (EXPLAINED[subject.kind].__name__, subject.explains)


@pytest.mark.parametrize(
    ("stub", "reason"),
    [
        ("failing", Reason.PROVIDER),
        ("crashing", Reason.PROVIDER),
        ("empty", Reason.NOTHING_PROVEN),
        ("not_json", Reason.UNUSABLE),
        ("ten_megabytes", Reason.TOO_LARGE),
        ("slow", Reason.TIMEOUT),
    ],
)
async def test_a_model_that_does_not_help(
    temporal: Temporal, name: str, stub: str, reason: Reason
) -> None:
    """The words of the rules stand as revision 2, which says why, and a counter says it, too."""
    log = MemoryLog()
    subject = (await incident(log, name))[2]
    settings = settings_of(temporal.address, queue=name, model=stub, model_timeout_s=2)
    async with running_agents(settings, log) as there:
        told = await there.told(subject)
        assert told == Told(revision=2, source=ExplanationSource.RULES, reason=reason)
        labels = {"kind": "transition", "source": "rules", "reason": reason.value}
        assert there.counted("copilot_agents_told_total", **labels) == 1
    first, second = await explanations(log, name)
    assert second.explanation == first.explanation
    assert second.stands_because


async def test_the_same_evidence_is_asked_about_once(temporal: Temporal, name: str) -> None:
    """A budget for one call per incident lets the second transition stand, with the limit named."""
    log = MemoryLog()
    wanted = [s for s in await incident(log, name) if s.kind is TextKind.TRANSITION]
    settings = settings_of(
        temporal.address, queue=name, model="obedient", model_call_requests=6,
        budget_incident_requests=6,
    )  # fmt: skip
    async with running_agents(settings, log) as there:
        first, second = await there.told(wanted[1]), await there.told(wanted[2])
    assert first.source is ExplanationSource.MODEL
    assert (second.source, second.reason) == (ExplanationSource.RULES, Reason.BUDGET)
    said = await explanations(log, name)
    assert "per incident" in said[-1].stands_because


async def test_an_event_that_was_rebuilt_away(temporal: Temporal, name: str) -> None:
    """The workflow ends, with a counter and a reason; what was said before stands."""
    log = MemoryLog()
    wanted = await incident(log, name)
    gone = Subject(
        cluster=name,
        explains=event_id(f"health/{name}", 90_000),
        at=wanted[-1].at,
        kind=TextKind.TRANSITION,
    )
    settings = settings_of(temporal.address, queue=name, model="obedient")
    async with running_agents(settings, log) as there:
        assert await there.told(gone) == Told(revision=0, reason=Reason.EVENT_GONE)
        labels = {"kind": "transition", "source": "none", "reason": "event_gone"}
        assert there.counted("copilot_agents_told_total", **labels) == 1
    assert await explanations(log, name) == []


async def test_an_event_that_is_gone_in_the_middle(name: str) -> None:
    """Each activity of the course ends it in the same way, and the ledger is settled even so."""
    log = MemoryLog()
    subject = (await incident(log, name))[2]
    registry = CollectorRegistry()
    before = telling(log, registry)
    assert (await before.tell_by_rules(subject)).ask
    permit = await before.permit_model(subject)
    assert permit.reserved is not None
    gone = subject.model_copy(update={"explains": event_id(f"health/{name}", 90_000)})
    ended = Told(revision=0, reason=Reason.EVENT_GONE)
    assert (await before.tell_by_rules(gone)).told == ended
    assert await before.permit_model(gone) == Permit(told=ended)
    composed = Composed(
        answer=None, reason=Reason.TIMEOUT, used=(), model="m", prompt_version="p", certain=True
    )
    conclusion = Conclusion(subject=gone, reserved=permit.reserved, composed=composed)
    assert await before.tell_by_model(conclusion) == ended
    labels = {"kind": "transition", "source": "none", "reason": "event_gone"}
    assert registry.get_sample_value("copilot_agents_told_total", labels) == 3
    assert [e.type for e in await log.read_stream(f"ledger/{name}")] == [
        "ModelCallReserved", "ModelCallSettled"
    ]  # fmt: skip


async def test_the_past_costs_no_model(name: str) -> None:
    """Events recorded too long ago are left to the explainer, whatever the text; a state, which the
    explainer does not tell, is told by rule. One second before, a model is asked."""
    recorded_at = Instant.from_utc(2026, 11, 1)
    log, registry = MemoryLog(clock=lambda: recorded_at), CollectorRegistry()
    wanted = await incident(log, name)
    age_s = settings_of("-", queue="-").model_max_age_s
    old = telling(log, registry, now=recorded_at.timestamp() + age_s + 1)
    ended = Told(revision=1, source=ExplanationSource.RULES, reason=Reason.TOO_OLD)
    for subject in wanted:
        assert await old.tell_by_rules(subject) == ByRules(told=ended, ask=False)
        assert await old.permit_model(subject) == Permit(told=ended)
    assert await explanations(log, name) == []
    labels = {"kind": "incident", "source": "rules", "reason": "too_old"}
    assert registry.get_sample_value("copilot_agents_told_total", labels) == 2
    state = wanted[1].model_copy(update={"kind": TextKind.STATE})
    assert await old.tell_by_rules(state) == ByRules(told=ended, ask=False)
    assert [e.explains for e in await explanations(log, name)] == [state.explains]
    assert await log.read_stream(f"ledger/{name}") == []
    young = telling(log, CollectorRegistry(), now=recorded_at.timestamp() + age_s)
    assert (await young.tell_by_rules(wanted[2])).ask
    assert (await young.permit_model(wanted[2])).request is not None


def telling(log: MemoryLog, registry: CollectorRegistry, *, now: float | None = None) -> Telling:
    """The activities without a server, at a time."""
    settings = settings_of("-", queue="-", model="obedient", dispatcher="obedient")
    ledger = Ledger(log, DirectWriter(log, DirectShard.LEDGER, writer="test"), settings.limits)
    doors = Doors(
        log=log,
        writer=DirectWriter(log, DirectShard.EXPLANATIONS, writer="test"),
        books=LogBooks(log),
        ledger=ledger,
        now=time.time if now is None else lambda: now,
    )
    return Telling(doors, settings, registry)


async def test_a_subject_of_another_kind_is_an_error(temporal: Temporal, name: str) -> None:
    """A workflow words one kind of text; anything else fails it at once, with the reason."""
    log = MemoryLog()
    subject = (await incident(log, name))[0]
    async with running_agents(settings_of(temporal.address, queue=name), log) as there:
        handle = await there.client.start_workflow(
            "review_incident", subject, id=f"wrong-{name}", task_queue=name
        )
        with pytest.raises(WorkflowFailureError) as caught:
            await handle.result()
    assert "not worded here" in str(caught.value.cause)
    assert await explanations(log, name) == []


async def test_a_defect_fails_the_workflow(temporal: Temporal, name: str) -> None:
    """An activity that meets a defect is not tried again: the workflow says what it was."""

    class Broken(MemoryLog):
        async def read_stream(self, *_: object, **__: object) -> list:
            raise ZeroDivisionError("a bug")

    subject = Subject(
        cluster=name, explains=event_id("x", 1), at=1_795_000_000, kind=TextKind.TRANSITION
    )
    async with running_agents(settings_of(temporal.address, queue=name), Broken()) as there:
        with pytest.raises(WorkflowFailureError):
            await there.told(subject)
        labels = {"activity": "tell_by_rules", "error": "unexpected"}
        assert there.counted("copilot_agents_activity_failures_total", **labels) == 1


async def test_a_log_that_is_away_is_waited_for(temporal: Temporal, name: str) -> None:
    """Activities are tried again until the log answers, and the words are there once."""

    class Away(MemoryLog):
        left = 4

        async def take_over(self, shard, *, writer, source):
            if shard and self.left:
                self.left -= 1
                raise Unavailable("the log is away")
            return await super().take_over(shard, writer=writer, source=source)

    log = Away()
    subject = (await incident(log, name))[0]
    async with running_agents(settings_of(temporal.address, queue=name), log) as there:
        assert (await there.told(subject)).revision == 1
        labels = {"activity": "tell_by_rules", "error": "Unavailable"}
        assert there.counted("copilot_agents_activity_failures_total", **labels) == 4
    (only,) = await explanations(log, name)
    assert isinstance(only, TransitionExplained)


async def test_the_server_cannot_read_what_is_told(temporal: Temporal, name: str) -> None:
    """With keys set, a history holds neither the cluster's name nor the evidence nor the words."""
    log = MemoryLog()
    subject = (await incident(log, name))[2]
    keys = f"k={base64.b64encode(b'k' * 32).decode()}"
    settings = settings_of(
        temporal.address, queue=f"queue-{uuid.uuid4().hex}", model="obedient",
        temporal_payload_keys=SecretStr(keys),
    )  # fmt: skip
    async with running_agents(settings, log) as there:
        told = await there.told(subject)
        stranger = await Client.connect(temporal.address, namespace=NAMESPACE)
        history = await stranger.get_workflow_handle(str(subject.explains)).fetch_history()
    assert told.source is ExplanationSource.MODEL
    payloads = _decoded(json.loads(history.to_json()))
    assert len(payloads) > 10
    said = b"\n".join(payloads)
    for word in (name, "critical", "signature", "evidence", "headline", "requests"):
        assert word.encode() not in said


def _decoded(value: Any) -> list[bytes]:
    """The data of every payload in a history."""
    if isinstance(value, list):
        return [data for item in value for data in _decoded(item)]
    if isinstance(value, dict):
        own = value.get("data")
        mine = [base64.b64decode(own)] if isinstance(own, str) else []
        return mine + [data for item in value.values() for data in _decoded(item)]
    return []
