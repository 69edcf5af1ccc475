"""Explanations as answers show them: what was said, sentence by sentence, and what proves it.

The parts of an explanation come in the order in which one reads them aloud; a sentence that nobody
proved is marked as a hypothesis wherever it is shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Final

from pydantic import Field

from copilot_core.events import CutSentence, Explaining, ExplanationSource
from copilot_core.explanation import Claim, Explanation, NextStep, Sentence
from copilot_projections.shape import Answer, At, at, ms
from copilot_projections.shown import shown
from copilot_projections.telling import words

HYPOTHESIS: Final = "Hypothesis: "
"""Stands before a sentence that nobody proved, wherever it is shown as text."""


class Part(StrEnum):
    """What a sentence is about."""

    HEADLINE = "headline"
    SINCE = "since"
    CERTAINTY = "certainty"
    CAUSES = "causes"
    PATH = "path"
    CHANGED_BEFORE = "changed_before"
    NOT_SEEN = "not_seen"


class SaidSentence(Answer):
    """One sentence, and the claims that prove it from events of the log."""

    part: Part
    cause: str = Field(description="the cause it is about, in the part `causes`; else empty")
    text: str
    hypothesis: bool = Field(description="true when nobody proved it")
    events: tuple[str, ...] = Field(description="ids of the events that show it")
    claims: tuple[Claim, ...]


class ExplanationLine(Answer):
    """What was said of one event, in short."""

    at: At
    at_ms: int
    cluster: str
    type: str
    explains: str = Field(description="id of the event that it is about")
    revision: int = Field(description="1 the words of the rules, 2 what came of asking a model")
    source: ExplanationSource
    model: str | None
    prompt_version: str | None
    signature: str = Field(description="SHA-256 of the evidence that it rests on")
    headline: str
    text: str = Field(description="all sentences and the next step as one paragraph")
    likeliest: str = Field(description="the first cause, empty when there is none")
    action: str = Field(description="the safe next step; never a model's words")
    runbook: str = Field(description="name of the runbook page, empty for none")
    sentences_cut: int = Field(description="sentences not shown because the log did not prove them")
    stands_because: str = Field(
        description="why the words of the rules stand although a model was asked; else empty"
    )
    version: int = Field(description="place in the stream of explanations")
    event_id: str = Field(description="id of the explanation's own event")
    shard: int
    position: int


class Revision(ExplanationLine):
    """One wording, whole."""

    sentences: tuple[SaidSentence, ...]
    next_step: NextStep
    cut: tuple[CutSentence, ...]


class Explained(Revision):
    """The words in force about one event, and every wording there is, the one in force first."""

    revisions: tuple[Revision, ...]


def line(
    event: Explaining, *, cluster: str, version: int, event_id: str, shard: int, position: int
) -> ExplanationLine:
    """The answer in short about one event of an explanation."""
    told = event.explanation
    first = told.causes[0] if told.causes else None
    return ExplanationLine(
        at=at(event.at),
        at_ms=ms(event.at),
        cluster=cluster,
        type=type(event).__name__,
        explains=str(event.explains),
        revision=event.revision,
        source=event.source,
        model=None if event.model is None else shown(event.model),
        prompt_version=event.prompt_version,
        signature=event.signature,
        headline=shown(told.headline.text),
        text=paragraph(told),
        likeliest=words(first.component, first.kind) if first else "",
        action=shown(told.next_step.action),
        runbook=told.next_step.runbook,
        sentences_cut=len(event.cut),
        stands_because=shown(event.stands_because),
        version=version,
        event_id=event_id,
        shard=shard,
        position=position,
    )


def full(revisions: Sequence[tuple[ExplanationLine, Explaining]]) -> Explained:
    """Everything said of one event; the first revision is the one in force."""
    told = tuple(
        Revision(
            **dict(short),
            sentences=tuple(sentences(event.explanation)),
            next_step=event.explanation.next_step,
            cut=tuple(CutSentence(part=shown(c.part), reason=shown(c.reason)) for c in event.cut),
        )
        for short, event in revisions
    )
    return Explained(**dict(told[0]), revisions=told)


def sentences(told: Explanation) -> Iterator[SaidSentence]:
    """Every sentence, in the order in which it is read."""
    yield _said(Part.HEADLINE, told.headline)
    for sentence in told.since:
        yield _said(Part.SINCE, sentence)
    for sentence in told.certainty:
        yield _said(Part.CERTAINTY, sentence)
    for cause in told.causes:
        for sentence in cause.sentences:
            yield _said(Part.CAUSES, sentence, cause=words(cause.component, cause.kind))
    for sentence in told.path:
        yield _said(Part.PATH, sentence)
    for sentence in told.changed_before:
        yield _said(Part.CHANGED_BEFORE, sentence)
    for sentence in told.not_seen:
        yield _said(Part.NOT_SEEN, sentence)


def _said(part: Part, sentence: Sentence, *, cause: str = "") -> SaidSentence:
    proof = dict.fromkeys(str(id_) for claim in sentence.claims for id_ in claim.events)
    return SaidSentence(
        part=part,
        cause=cause,
        text=shown(sentence.text),
        hypothesis=sentence.hypothesis,
        events=tuple(proof),
        claims=tuple(_claim(claim) for claim in sentence.claims),
    )


def _claim(claim: Claim) -> Claim:
    """A claim with its free words guarded: names of logs and values of parameters are others'."""
    told = {name: value for name, value in claim if type(value) is str and name != "claim"}
    return claim.model_copy(update={name: shown(value) for name, value in told.items()})


def paragraph(told: Explanation) -> str:
    """All of it as one reads it aloud; what is not proven says so."""
    said = [f"{HYPOTHESIS}{s.text}" if s.hypothesis else s.text for s in sentences(told)]
    return " ".join([*said, shown(told.next_step.action)]).strip()
