"""Tools: the event's past and nothing later, in bounded answers, from the book and the runbooks."""

from __future__ import annotations

import orjson
import pytest
from pydantic_ai import RunContext
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    ToolCallPart,
    ToolReturnPart,
)
from pydantic_ai.models import Model
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.models.test import TestModel
from pydantic_ai.usage import RunUsage

from copilot_core.errors import Unavailable
from copilot_core.events import ExplanationSource
from copilot_core.words.book import Book
from copilot_core.words.explainer import explain
from copilot_core.words.wording import clock
from copilot_workflows.agents import tools
from copilot_workflows.agents.answers import worded
from copilot_workflows.agents.compose import compose
from copilot_workflows.agents.evidence import request_of
from copilot_workflows.agents.handles import event_of
from copilot_workflows.agents.once import OneBook
from copilot_workflows.agents.requests import NO_MODEL, TextKind
from copilot_workflows.agents.settings import ModelSettings
from copilot_workflows.agents.tools import (
    MAX_ANSWER_CHARS,
    MAX_SLOTS,
    NO_ANSWER,
    Deps,
    events,
    readings,
    runbooks,
    sources_are,
)
from copilot_workflows.knowledge.port import Passage, Synced
from tests.unit.workflows.agents.books import ONE


class Pages:
    """Runbooks that say whatever is asked, and far too much of it."""

    async def search(self, question: str, *, limit: int = 3) -> tuple[Passage, ...]:
        if not question:
            raise Unavailable("no question, no answer")
        text = f"{question} {'x ' * 900}"[:2_000]
        passage = Passage(page="p", title="T", summary="", section="", text=text, score=1.0)
        return (passage,) * limit

    async def sync(self) -> Synced:
        return Synced(digest="0", pages=0, changed=0)


class Nothing:
    """Books that cannot be had."""

    async def book(self, cluster: str, explains: object, *, at: int) -> Book:
        raise Unavailable("the log is away")


def ctx(*, as_of: int = ONE.slot) -> RunContext[Deps]:
    deps = Deps(cluster=ONE.cluster, explains=ONE.explains, as_of=as_of)
    return RunContext(deps=deps, model=TestModel(), usage=RunUsage())


def told(answer: str) -> list[dict[str, object]]:
    return [orjson.loads(line) for line in answer.splitlines()]


async def test_readings_end_with_the_event():
    """No slot after the event is shown, whatever is asked for; each line names its event."""
    with sources_are(OneBook(ONE), Pages()):
        legend, *lines = told(await readings(ctx(), ["closings_per_s", "nonsense"], 10_000))
    assert list(legend) == ["closings_per_s"]
    assert 0 < len(lines) <= MAX_SLOTS
    assert max(int(str(line["at"])) for line in lines) == ONE.slot
    for line in lines:
        id_ = event_of(str(line["event"]), ONE)
        assert id_ is not None
        assert ONE.fact(id_)


async def test_events_end_with_the_event_too():
    """A time after the event means the event's."""
    with sources_are(OneBook(ONE), Pages()):
        late = told(await events(ctx(), 2**40, 1_000))
        early = told(await events(ctx(), ONE.slot - 120, 5))
    assert max(int(str(line["at"])) for line in late) <= ONE.slot
    assert max(int(str(line["at"])) for line in early) <= ONE.slot - 120
    assert len(early) <= 5


async def test_answers_are_bounded():
    """However much there is, an answer stays small."""
    with sources_are(OneBook(ONE), Pages()):
        answers = [
            await readings(ctx(), ["closings_per_s", "starts_accepted_per_s"] * 50, 40),
            await events(ctx(), ONE.slot, 40),
            await runbooks(ctx(), "why"),
        ]
    assert all(0 < len(answer) <= MAX_ANSWER_CHARS for answer in answers)


async def test_an_answer_that_is_too_long_ends_with_a_whole_line(monkeypatch: pytest.MonkeyPatch):
    """All that is shown can be read: no name and no number is cut in two."""
    monkeypatch.setattr(tools, "MAX_ANSWER_CHARS", 1_000)
    with sources_are(OneBook(ONE), Pages()):
        *lines, last = (await readings(ctx(), ["closings_per_s"], 40)).splitlines()
    assert last.endswith(" lines left out)")
    assert len(told("\n".join(lines))) == len(lines) > 1


async def test_what_cannot_be_looked_up_is_no_error():
    """A log that is away or a question that nobody answers leaves the words without a tool."""
    with sources_are(Nothing(), Pages()):
        assert await readings(ctx(), ["closings_per_s"]) == NO_ANSWER
        assert await events(ctx(), ONE.slot) == NO_ANSWER
        assert await runbooks(ctx(), "") == NO_ANSWER


# --- a model that uses one ------------------------------------------------------------------------


async def _read_then_say(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
    returned = [
        part
        for message in messages
        if isinstance(message, ModelRequest)
        for part in message.parts
        if isinstance(part, ToolReturnPart)
    ]
    if not returned:
        args = {"signals": ["closings_per_s"], "slots": 30}
        return ModelResponse(parts=[ToolCallPart("readings", args)])
    rows = told(str(returned[0].content))[1:]
    row = [r for r in rows if isinstance(r.get("closings_per_s"), float)][-1]
    claim = {
        "claim": "value", "signal": "closings_per_s", "value": row["closings_per_s"],
        "unit": "1/s", "at": row["at"], "events": [row["event"]],
    }  # fmt: skip
    at = clock(int(str(row["at"])))
    value = f"{float(str(row['closings_per_s'])):.1f}"
    text = f"Workflows closed: {value} per second at {at}."
    answer = {"headline": {"text": "x"}, "since": [{"text": text, "claims": [claim]}]}
    return ModelResponse(parts=[ToolCallPart(info.output_tools[0].name, answer)])


reader: Model = FunctionModel(_read_then_say, model_name="reader")


async def test_what_a_tool_told_can_be_said_and_proven():
    """A reading that only a tool showed is cited by its handle, proven, and shown."""
    name = f"object:{__name__}:reader"
    rules = explain(ONE, ONE.explains)
    settings = ModelSettings(dispatcher_model=NO_MODEL, researcher_model=name)
    request = request_of(ONE, rules, kind=TextKind.TRANSITION, settings=settings)
    with sources_are(OneBook(ONE), Pages()):
        composed = await compose(request)
    shown = worded(composed, book=ONE, rules=rules)
    assert shown.source is ExplanationSource.MODEL
    assert [cut.part for cut in shown.cut] == ["headline"]
    assert shown.explanation.since[0].text.startswith("Workflows closed: ")
    assert shown.explanation.headline == rules.headline


async def test_every_tool_is_called_by_a_model_that_calls_everything():
    """Arguments that mean nothing are answered; the form comes in the end."""
    rules = explain(ONE, ONE.explains)
    settings = ModelSettings(
        dispatcher_model=NO_MODEL, researcher_model="test", model_call_tokens=1_000_000
    )
    request = request_of(ONE, rules, kind=TextKind.TRANSITION, settings=settings)
    with sources_are(OneBook(ONE), Pages()):
        composed = await compose(request)
    assert composed.answer
    assert composed.used[0].requests == 2


def test_a_book_of_another_event_is_not_shown():
    """A process with one book has no other."""
    with pytest.raises(Exception, match="no book"):
        OneBook(ONE).book("other", ONE.explains, at=1).send(None)
