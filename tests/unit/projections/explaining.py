"""Rankings and explanations for stories: what was made of a slot, and in which words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, TypeVar
from uuid import UUID

from copilot_core.events import (
    CannotTell,
    CausesRanked,
    Evidence,
    ExplanationSource,
    HealthTransitioned,
    IncidentReviewed,
    NewEvent,
    RankedCause,
    SignSeen,
    StateAssessed,
    Status,
    TransitionExplained,
    cluster_of,
    new_event,
)
from copilot_core.explanation import (
    CauseTold,
    Explanation,
    HypothesisClaim,
    NextStep,
    Sentence,
    StateClaim,
)
from copilot_core.readings import Missing

Telling = TypeVar("Telling", TransitionExplained, IncidentReviewed, StateAssessed)


def explaining(
    cls: type[Telling], slot: int, explains: UUID, *, model: str | None = None, **more: Any
) -> Telling:
    """An explanation of an event: revision 1 by the rules, 2 where a model is named."""
    by = f"by {model}" if model else "by the rules"
    claim = StateClaim(events=(explains,), subject="status", state="critical", since=slot)
    said: dict[str, Any] = {
        "at": slot,
        "explains": explains,
        "revision": 2 if model else 1,
        "source": ExplanationSource.MODEL if model else ExplanationSource.RULES,
        "model": model,
        "prompt_version": "p1" if model else None,
        "signature": "0" * 64,
        "explanation": Explanation(
            headline=Sentence(text=f"Nothing closes, told {by}.", claims=(claim,)),
            since=(Sentence(text="It has been so for 1 min.", claims=(claim,)),),
            certainty=(),
            causes=(
                CauseTold(
                    component="workers",
                    kind="absent",
                    sentences=(Sentence(text="No worker process polls.", claims=(claim,)),),
                ),
            ),
            path=(),
            changed_before=(
                Sentence(text="A deployment did it.", claims=(HypothesisClaim(events=()),)),
            ),
            not_seen=(),
            next_step=NextStep(action="Start the workers.", runbook="workers-absent"),
        ),
    }
    return cls(**{**said, **more})


def ranking(
    slot: int,
    causes: Sequence[tuple[str, float]],
    *,
    cannot_tell: Sequence[str] = (),
    status: str = "critical",
    since: int,
) -> CausesRanked:
    """A ranking: `component/kind` and score of each cause, all seen by one sign since `since`."""
    sign = SignSeen(
        id="workers-silent", signal="worker_processes", value=0.0, comparison="<", threshold=1.0,
        unit="processes", at=slot,
    )  # fmt: skip
    found = tuple(
        RankedCause(
            component=cause.partition("/")[0], kind=cause.partition("/")[2], score=score,
            since=since, now=True, evidence=(sign,),
        )
        for cause, score in causes
    )  # fmt: skip
    untold = tuple(
        CannotTell(
            component=cause.partition("/")[0], kind=cause.partition("/")[2], rather_than=None,
            signal="host_cpu_ratio", missing=Missing.NO_SOURCE,
        )
        for cause in cannot_tell
    )  # fmt: skip
    return CausesRanked(
        slot=slot, since=since if causes else 0, status=Status(status), evidence=Evidence.FRESH,
        causes=found, cannot_tell=untold, graph_digest="g1",
    )  # fmt: skip


def explanations_of(events: Sequence[NewEvent]) -> tuple[list[NewEvent], list[NewEvent]]:
    """Each transition in the words of the rules, and then in a model's: as two writers append them,
    to shards of their own and to one stream per cluster, behind what is said in it already."""
    turned = [e for e in events if e.type == HealthTransitioned.__name__]
    kind = TransitionExplained.stream_kind
    said = Counter(cluster_of(e.stream) for e in events if e.stream.startswith(f"{kind}/"))

    def told(event: NewEvent, model: str | None) -> NewEvent:
        cluster, slot = cluster_of(event.stream), event.occurred_at.timestamp()
        said[cluster] += 1
        words = explaining(TransitionExplained, slot, event.event_id, model=model)
        return new_event(words, cluster=cluster, version=said[cluster])

    return [told(e, None) for e in turned], [told(e, "stub") for e in turned]
