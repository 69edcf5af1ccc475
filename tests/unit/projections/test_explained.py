"""Explanations as answers: what is said, in order, marked where it is not proven, and guarded."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import orjson

from copilot_core.events import StateAssessed, TransitionExplained, decode
from copilot_core.explanation import Explanation
from copilot_projections.explained import HYPOTHESIS, Part, full, line, paragraph, sentences
from tests.unit.projections.explaining import explaining
from tests.unit.projections.story import NOON

GOLDEN = Path(__file__).parents[2] / "golden" / "events" / "StateAssessed.v1.json"
SECRET = "AKIAIOSFODNN7EXAMPLE"


def assessed() -> StateAssessed:
    """An explanation with every part and every kind of claim."""
    event = decode("StateAssessed", 1, GOLDEN.read_bytes())
    assert isinstance(event, StateAssessed)
    return event


def test_every_sentence_is_there_once_with_its_events() -> None:
    """All parts in the order of the schema; each sentence names the events of its claims, once."""
    event = assessed()
    said = list(sentences(event.explanation))
    assert [part for part in Part if part in {s.part for s in said}] == list(Part)
    texts = orjson.dumps(event.explanation.model_dump(mode="json")).decode()
    assert len(said) == texts.count('"text":')
    for sentence in said:
        named = {str(id_) for claim in sentence.claims for id_ in claim.events}
        assert set(sentence.events) == named
        assert len(sentence.events) == len(named)
        assert (sentence.cause != "") == (sentence.part is Part.CAUSES)


def test_a_hypothesis_is_marked_wherever_it_is_shown() -> None:
    """Sentence by sentence and in running text, and nothing else is marked."""
    told = assessed().explanation
    marked = [s.text for s in sentences(told) if s.hypothesis]
    assert marked == ["It may be that a deployment stopped the workers."]
    assert paragraph(told).count(HYPOTHESIS) == 1
    assert f"{HYPOTHESIS}{marked[0]}" in paragraph(told)


def test_the_paragraph_ends_with_the_next_step() -> None:
    """What to do comes last, in the words of the rules."""
    told = assessed().explanation
    assert paragraph(told).startswith(told.headline.text)
    assert paragraph(told).endswith(told.next_step.action)


def test_what_was_recorded_passes_the_guard_on_its_way_out() -> None:
    """A secret in a recorded text is not shown: neither in a sentence nor in running text."""
    told = explaining(TransitionExplained, NOON, UUID(int=1)).explanation
    leaky = told.headline.model_copy(update={"text": f"The key {SECRET} opens it."})
    told = told.model_copy(update={"headline": leaky, "since": (leaky,)})
    event = explaining(
        TransitionExplained, NOON, UUID(int=1),
        explanation=Explanation.model_validate(told.model_dump()),
        stands_because=f"no model took {SECRET}",
    )  # fmt: skip
    short = line(event, cluster="orders", version=1, event_id="e", shard=1, position=0)
    assert SECRET in event.model_dump_json()
    assert SECRET not in full([(short, event)]).model_dump_json()
