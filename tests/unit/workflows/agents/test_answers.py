"""Answers: what is wrong in one costs itself and no more, and nothing in one breaks anything."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from copilot_core.budget import Refusal, Refused
from copilot_core.events import ExplanationSource
from copilot_core.explanation import MAX_SENTENCE_CHARS
from copilot_core.proving.proof import PARTS
from copilot_core.words.explainer import explain
from copilot_workflows.agents.answers import Worded, refused, standing, worded
from copilot_workflows.agents.evidence import evidence
from copilot_workflows.agents.requests import (
    CLAIMS,
    STANDS_BECAUSE,
    Answer,
    AnswerClaim,
    Composed,
    Reason,
)
from tests.unit.workflows.agents.books import ONE
from tests.unit.workflows.agents.stub_models import words_of_rules

RULES = explain(ONE, ONE.explains)
TOLD = words_of_rules(evidence(ONE, RULES))


def shown(answer: dict[str, Any]) -> Worded:
    """What is shown of an answer about workers that were stopped."""
    composed = Composed(
        answer=Answer.model_validate(answer), reason=None, model="m", prompt_version="p"
    )
    return worded(composed, book=ONE, rules=RULES)


def test_true_words_are_shown():
    """The words of the rules, read back from the evidence, pass to the last claim."""
    told = shown(TOLD)
    assert told.cut == ()
    assert told.explanation == RULES
    assert (told.source, told.model, told.prompt_version) == (ExplanationSource.MODEL, "m", "p")


def test_one_sentence_that_is_too_long_costs_itself():
    """A part with an endless sentence keeps its others; the cut is told, its words are not."""
    endless = {"text": "so " * MAX_SENTENCE_CHARS, "claims": []}
    told = shown({**TOLD, "certainty": [*TOLD["certainty"], endless]})
    assert told.explanation == RULES
    assert [(c.part, c.reason) for c in told.cut] == [("certainty", "longer than 400 characters")]


def test_one_malformed_claim_costs_its_sentence():
    """A claim of no known kind, or of no form, leaves the other sentences alone."""
    for claim in ({"claim": "prophecy"}, {"claim": "value", "value": "much"}, 7, None, {}):
        headline = {**TOLD["headline"], "claims": [claim]}
        told = shown({**TOLD, "headline": headline})
        assert told.source is ExplanationSource.MODEL
        assert told.explanation == RULES
        assert [c.part for c in told.cut] == ["headline"]


def test_an_answer_with_nothing_in_it():
    """When nothing of the model's is left, the rules' words stand and say so."""
    told = shown({"headline": {"text": " ", "claims": []}})
    assert told.explanation == RULES
    assert told.source is ExplanationSource.RULES
    assert told.stands_because == STANDS_BECAUSE[Reason.NOTHING_PROVEN]


texts = st.text(max_size=60) | st.sampled_from([s.text for s in RULES.since])
claims = st.dictionaries(
    st.sampled_from(sorted(AnswerClaim.model_fields)),
    st.none() | st.integers() | st.floats() | st.text(max_size=9) | st.lists(st.text(max_size=5)),
    max_size=8,
).flatmap(lambda c: st.sampled_from(sorted(CLAIMS)).map(lambda kind: {**c, "claim": kind}))
told_sentences = st.fixed_dictionaries({"text": texts, "claims": st.lists(claims, max_size=4)})
answers = st.fixed_dictionaries(
    {"headline": told_sentences},
    optional={part: st.lists(told_sentences, max_size=3) for part in PARTS},
)


@given(answers)
@settings(max_examples=150)
def test_no_answer_breaks_anything(answer: dict[str, Any]):
    """Whatever a model fills into the form, an explanation comes out, with the rules' next step."""
    try:
        told = shown(answer)
    except ValidationError:
        return  # not the form: the agent asks once more, then gives up
    assert told.explanation.next_step == RULES.next_step
    assert bool(told.stands_because) == (told.source is ExplanationSource.RULES)


def test_a_refusal_names_its_limit():
    """What the budget refuses says which limit it was; the same evidence says so without one."""
    over = Refused(Refusal.DAY_MONEY, limit=20_000_000, counted=19_500_000, asked=1_000_000)
    assert "20.00 USD per day" in refused(RULES, over).stands_because
    assert refused(RULES, over).reason is Reason.BUDGET
    same = refused(RULES, Refused(Refusal.SAME_EVIDENCE))
    assert same.reason is Reason.ALREADY_ASKED
    assert same.stands_because == STANDS_BECAUSE[Reason.ALREADY_ASKED]


def test_every_reason_has_words():
    """No reason is shown as an identifier."""
    assert set(STANDS_BECAUSE) == set(Reason)
    for reason in Reason:
        assert standing(RULES, reason).stands_because == STANDS_BECAUSE[reason]
