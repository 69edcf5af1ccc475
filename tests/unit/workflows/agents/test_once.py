"""One explanation at a terminal: the same words as in the log, with nothing recorded."""

from __future__ import annotations

import pytest

from copilot_core.errors import Rejected
from copilot_core.events import ExplanationSource
from copilot_core.words.explainer import explain, review
from copilot_workflows.agents.once import explain_once
from copilot_workflows.agents.requests import NO_MODEL, Reason, TextKind
from copilot_workflows.agents.settings import ModelSettings
from copilot_workflows.knowledge.connect import connect
from copilot_workflows.knowledge.settings import KnowledgeSettings
from tests.unit.workflows.agents.books import ONE, book
from tests.unit.workflows.agents.stub_models import name_of

KNOWLEDGE = connect(KnowledgeSettings())


def asking(name: str) -> ModelSettings:
    return ModelSettings(dispatcher_model=NO_MODEL, researcher_model=name)


async def test_a_transition_and_an_incident_are_worded():
    """True words of a model are shown, of the transition or of the whole incident as is asked."""
    ended = book("o1-workers-stopped", 3)
    for held, kind, rules in (
        (ONE, TextKind.TRANSITION, explain),
        (ended, TextKind.INCIDENT, review),
    ):
        told = await explain_once(
            held, settings=asking(name_of("obedient")), knowledge=KNOWLEDGE, kind=kind
        )
        assert told.source is ExplanationSource.MODEL
        assert told.explanation == rules(held, held.explains)


async def test_the_runbooks_of_the_product_answer():
    """A model that calls every tool finds the packaged runbooks, and the form in the end."""
    settings = asking("test").model_copy(update={"model_call_tokens": 1_000_000})
    told = await explain_once(ONE, settings=settings, knowledge=KNOWLEDGE)
    assert told.reason is Reason.NOTHING_PROVEN


async def test_a_name_that_means_none_is_told():
    """A mistyped model is the asker's mistake, not a reason in an explanation."""
    with pytest.raises(Rejected):
        await explain_once(ONE, settings=asking("nonsense"), knowledge=KNOWLEDGE)
