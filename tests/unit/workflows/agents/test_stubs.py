"""Models that answer badly: nothing is shown that the log does not back, and the rest is told."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Final

import pytest

from copilot_core.events import ExplanationSource
from copilot_core.explanation import Claim, Draft, Explanation, Sentence
from copilot_core.proving.proof import PARTS
from copilot_workflows.agents.answers import Worded, worded
from copilot_workflows.agents.compose import compose
from copilot_workflows.agents.evidence import request_of
from copilot_workflows.agents.requests import (
    NO_MODEL,
    STANDS_BECAUSE,
    CallLimits,
    ComposeRequest,
    Reason,
    TextKind,
)
from copilot_workflows.agents.settings import ModelSettings
from tests.unit.workflows.agents import stub_models
from tests.unit.workflows.agents.transitions import TRANSITIONS, Case, cases

SPEAKING: Final = (
    "obedient",
    "contradictory",
    "number_swapping",
    "number_swapping_in_text",
    "actor_swapping",
    "verbose",
    "empty",
    "unknown_events",
    "inventing",
)
"""Stubs that fill the form; what of it is shown is the proof's affair."""

BROKEN: Final = {
    "silent": Reason.UNUSABLE,
    "prose": Reason.UNUSABLE,
    "not_json": Reason.UNUSABLE,
    "slow": Reason.TIMEOUT,
    "failing": Reason.PROVIDER,
    "crashing": Reason.PROVIDER,
    "over_budget": Reason.LIMIT,
    "ten_megabytes": Reason.TOO_LARGE,
}
"""Stubs that never give an answer, and why not."""


@cache
def requests() -> tuple[tuple[Case, ComposeRequest], ...]:
    """What is asked about each transition; the models are filled in by each test."""
    settings = ModelSettings(dispatcher_model=NO_MODEL)
    return tuple(
        (case, request_of(case.book, case.rules, kind=TextKind.TRANSITION, settings=settings))
        for case in cases()
    )


def asked(stub: str, request: ComposeRequest) -> ComposeRequest:
    """The same question to a stub, who gets no time if it would only let it pass."""
    limits = CallLimits(timeout_s=0.005) if stub == "slow" else request.limits
    return request.model_copy(
        update={"researcher_model": stub_models.name_of(stub), "limits": limits}
    )


def shown(told: Draft) -> Iterator[Sentence]:
    """Every sentence of an explanation."""
    yield told.headline
    for part in PARTS:
        yield from getattr(told, part)
    for cause in told.causes:
        yield from cause.sentences


def unsupported(told: Explanation, case: Case) -> set[str]:
    """Sentences that are shown and are not true. The proof is not asked: a stub says nothing true
    but the words of the rules, and claims nothing true but what they claim."""
    of_rules: dict[str, set[Claim]] = {}
    for sentence in shown(case.rules):
        of_rules.setdefault(sentence.text, set()).update(sentence.claims)
    return {
        s.text
        for s in shown(told)
        if s.text not in of_rules or not set(s.claims) <= of_rules[s.text]
    }


async def answered(stub: str, case: Case, request: ComposeRequest) -> Worded:
    """What is shown in the end of a stub's answer."""
    stub_models.spoiled.clear()
    return worded(await compose(asked(stub, request)), book=case.book, rules=case.rules)


@pytest.mark.slow
@pytest.mark.parametrize("stub", SPEAKING)
def test_nothing_unsupported_is_shown(stub: str):
    """For hundreds of transitions, no sentence of a bad answer is shown that the log does not back;
    the next step and the causes are the rules'."""

    async def all_of_them() -> Counter[ExplanationSource]:
        sources: Counter[ExplanationSource] = Counter()
        for case, request in requests():
            told = await answered(stub, case, request)
            assert unsupported(told.explanation, case) == set(), case.name
            assert told.explanation.next_step == case.rules.next_step
            assert [(c.component, c.kind) for c in told.explanation.causes] == [
                (c.component, c.kind) for c in case.rules.causes
            ]
            assert bool(told.stands_because) == (told.source is ExplanationSource.RULES)
            sources[told.source] += 1
        return sources

    sources = asyncio.run(all_of_them())
    assert sources.total() >= TRANSITIONS
    if stub == "obedient":  # true words are believed, or the other stubs prove nothing
        assert sources[ExplanationSource.MODEL] >= 0.99 * sources.total()


@pytest.mark.slow
@pytest.mark.parametrize("stub", BROKEN)
def test_a_broken_model_changes_nothing(stub: str):
    """For hundreds of transitions, the words of the rules stand to the byte, and say why."""

    async def all_of_them() -> int:
        for case, request in requests():
            told = await answered(stub, case, request)
            assert told.reason is BROKEN[stub]
            assert told.stands_because == STANDS_BECAUSE[BROKEN[stub]]
            assert told.explanation == case.rules
            assert told.source is ExplanationSource.RULES
        return len(requests())

    assert asyncio.run(all_of_them()) >= TRANSITIONS
