"""Models that answer badly on purpose, each in its own way; names for the setting `object:…`.

A stub reads the prompt as a real model does: it finds the words of the rules with their claims and
writes an answer of them. What it spoils it marks, so that a test need not believe the proof alone:
`spoiled` remembers every text that it made wrong.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

import orjson
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    TextPart,
    ToolCallPart,
    UserPromptPart,
)
from pydantic_ai.models import Model
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.models.test import TestModel
from pydantic_ai.usage import RequestUsage

Answer = dict[str, Any]
MODULE: Final = __name__

spoiled: set[str] = set()
"""Texts that some stub made wrong, whatever their claims say; a test empties it when it begins
with another event."""


USUAL: Final = RequestUsage(input_tokens=9_000, output_tokens=900)
"""What a model says it used; without it, ten megabytes would be counted word by word."""


def name_of(stub: str) -> str:
    """The name of a stub as a setting has it."""
    return f"object:{MODULE}:{stub}"


# --- reading the prompt ---------------------------------------------------------------------------


def prompt_of(messages: list[ModelMessage]) -> str:
    """Everything that the model was told by its user."""
    return "\n".join(
        part.content
        for message in messages
        if isinstance(message, ModelRequest)
        for part in message.parts
        if isinstance(part, UserPromptPart) and isinstance(part.content, str)
    )


def words_of_rules(prompt: str) -> Answer:
    """The explanation by rule, as an answer."""
    section = prompt.split("## words of the rules\n", 1)[1].split("\n\n## ", 1)[0]
    answer: Answer = {"headline": {}, "causes": []}
    for line in section.splitlines():
        told = orjson.loads(line)
        if "headline" in told:
            answer["headline"] = told["headline"]
        elif "cause" in told:
            component, kind = told.pop("cause").split("/")
            causes = [
                c for c in answer["causes"] if (c["component"], c["kind"]) == (component, kind)
            ]
            if not causes:
                causes = [{"component": component, "kind": kind, "sentences": []}]
                answer["causes"] += causes
            causes[0]["sentences"].append(told)
        else:
            (part, sentence), *_ = told.items()
            answer.setdefault(part, []).append(sentence)
    return answer


def sentences(answer: Answer) -> Iterator[dict[str, Any]]:
    """Every sentence of an answer."""
    yield answer["headline"]
    for part in ("since", "certainty", "path", "changed_before", "not_seen"):
        yield from answer.get(part, [])
    for cause in answer["causes"]:
        yield from cause["sentences"]


# --- answering ------------------------------------------------------------------------------------


def _model(
    name: str, write: Callable[[Answer], Answer], *, usage: RequestUsage | None = None
) -> FunctionModel:
    """Finds every event worth a look and writes what `write` makes of the words of the rules."""

    async def answered(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        tool = info.output_tools[0].name
        if tool == "dispatch":
            part = ToolCallPart(tool, {"deeper": True, "pages": ["nonsense"], "signals": ["x"]})
        else:
            part = ToolCallPart(tool, write(words_of_rules(prompt_of(messages))))
        return ModelResponse(parts=[part], usage=usage or USUAL)

    return FunctionModel(answered, model_name=name)


def _rewritten(
    name: str,
    text: Callable[[str], str],
    claim: Callable[[dict[str, Any]], dict[str, Any]] = lambda claim: claim,
) -> FunctionModel:
    """A model that rewrites every text and every claim; a text that changes is spoiled."""

    def write(answer: Answer) -> Answer:
        for sentence in sentences(answer):
            new = text(sentence["text"])
            if new != sentence["text"]:
                spoiled.add(new)
            sentence["text"] = new
            sentence["claims"] = [claim(c) for c in sentence["claims"]]
        return answer

    return _model(name, write)


obedient: Final[Model] = _model("obedient", lambda answer: answer)
"""Repeats the words of the rules: all of it is true."""

# --- contradictory --------------------------------------------------------------------------------

_OPPOSITES: Final = (
    ("critical", "happy"),
    ("stressed", "happy"),
    ("below", "at or above"),
    ("is", "is not"),
    ("no", "every"),
)


def _contradicted(text: str) -> str:
    for word, opposite in _OPPOSITES:
        if re.search(rf"\b{word}\b", text):
            return re.sub(rf"\b{word}\b", opposite, text, count=1)
    return f"It is not true: {text}"


def _contradicting_claim(claim: dict[str, Any]) -> dict[str, Any]:
    opposite = {"critical": "happy", "stressed": "happy", "<": ">=", ">=": "<"}
    return {k: opposite.get(v, v) if isinstance(v, str) else v for k, v in claim.items()}


contradictory: Final[Model] = _rewritten("contradictory", _contradicted, _contradicting_claim)
"""Says the opposite, and claims it, too."""

# --- swapped numbers and actors -------------------------------------------------------------------


def _other_digits(text: str) -> str:
    return re.sub(r"\d", lambda digit: str((int(digit[0]) + 3) % 10), text)


def _other_numbers(claim: dict[str, Any]) -> dict[str, Any]:
    return {
        k: v * 3 + 7 if isinstance(v, (int, float)) and not isinstance(v, bool) else v
        for k, v in claim.items()
    }


number_swapping: Final[Model] = _rewritten("number-swapping", _other_digits, _other_numbers)
"""Has other figures in texts and claims, and they agree with each other."""

number_swapping_in_text: Final[Model] = _rewritten("number-swapping-in-text", _other_digits)
"""Has other figures in texts; claims are true."""

_ACTORS: Final = {
    "history": "matching",
    "matching": "frontend",
    "frontend": "history",
    "workers": "history",
    "worker": "history",
    "database": "network",
    "workflows": "activities",
    "activities": "workflows",
    "activity": "workflow",
}
_ACTOR: Final = re.compile(r"\b(" + "|".join(_ACTORS) + r")\b", re.IGNORECASE)


def _other_actor(text: str) -> str:
    return _ACTOR.sub(lambda found: _ACTORS[found[0].lower()], text)


def _claim_of_other_actor(claim: dict[str, Any]) -> dict[str, Any]:
    return {
        k: _other_actor(v) if isinstance(v, str) and k in ("component", "signal", "link") else v
        for k, v in claim.items()
    }


actor_swapping: Final[Model] = _rewritten("actor-swapping", _other_actor, _claim_of_other_actor)
"""Blames somebody else, in texts and in claims."""

# --- too much, too little -------------------------------------------------------------------------

_CHATTER: Final = (
    "Let me walk you through this fascinating and rather dramatic situation step by step.",
    "This was caused by a deployment that nobody told us about.",
    "You should restart every history pod right now and then scale the database up.",
    "Run `kubectl delete pod --all` to be safe; see https://example.com/fix for more.",
    "Twice as many workflows as usual failed because of the network.",
    "Perhaps the rate limiter is the culprit, as it was three days ago.",
    "In other words, " + "and so on, " * 60 + "you see.",
)


def _verbosely(answer: Answer) -> Answer:
    spoiled.update(_CHATTER)
    chatter = [{"text": text, "claims": []} for text in _CHATTER]
    for part in ("since", "certainty", "path", "changed_before", "not_seen"):
        answer[part] = [*chatter, *answer.get(part, [])]
    answer["since"] += chatter * 2
    for cause in answer["causes"]:
        cause["sentences"] = [*cause["sentences"], *chatter]
    return answer


verbose: Final[Model] = _model("verbose", _verbosely)
"""Says ten times as much, with advice and causes of its own."""

empty: Final[Model] = _model("empty", lambda _: {"headline": {"text": "", "claims": []}})
"""Answers in form and says nothing."""


async def _silent(_: list[ModelMessage], __: AgentInfo) -> ModelResponse:
    return ModelResponse(parts=[])


silent: Final[Model] = FunctionModel(_silent, model_name="silent")
"""Does not even answer in form."""

# --- citing what is not there ---------------------------------------------------------------------


def _unknown(claim: dict[str, Any]) -> dict[str, Any]:
    return {**claim, "events": ["E999999999", "not a handle"]}


unknown_events: Final[Model] = _rewritten("unknown-events", lambda text: text, _unknown)
"""Cites events that do not exist."""


def _invented(answer: Answer) -> Answer:
    text = "The network is unreachable because a colleague pulled a cable."
    spoiled.add(text)
    link = {"claim": "cause_link", "component": "network", "kind": "eaten", "role": "needs"}
    told = {"text": text, "claims": [{**link, "events": ["E1"]}]}
    answer["causes"] = [{"component": "network", "kind": "eaten", "sentences": [told]}]
    answer["headline"] = told
    return answer


inventing: Final[Model] = _model("inventing", _invented)
"""Names a cause that the graph does not have."""

# --- breaking -------------------------------------------------------------------------------------


async def _slow(_: list[ModelMessage], __: AgentInfo) -> ModelResponse:
    await asyncio.sleep(3_600)
    raise AssertionError("nobody waits for an hour")


slow: Final[Model] = FunctionModel(_slow, model_name="slow")


async def _failing(_: list[ModelMessage], __: AgentInfo) -> ModelResponse:
    raise ModelHTTPError(503, "failing", {"message": "overloaded"})


failing: Final[Model] = FunctionModel(_failing, model_name="failing")
"""Its provider is overloaded."""


async def _crashing(_: list[ModelMessage], __: AgentInfo) -> ModelResponse:
    raise ZeroDivisionError("a bug in a library, with a secret: postgres://me:hunter2@db/x")


crashing: Final[Model] = FunctionModel(_crashing, model_name="crashing")
"""Its library raises what nobody expects."""

over_budget: Final[Model] = _model(
    "over-budget",
    lambda answer: answer,
    usage=RequestUsage(input_tokens=900_000, output_tokens=90_000),
)
"""Uses more tokens than a call may."""


_TEN_MEGABYTES: Final = "x" * 10_000_000


async def _huge(_: list[ModelMessage], __: AgentInfo) -> ModelResponse:
    return ModelResponse(parts=[TextPart(_TEN_MEGABYTES)], usage=USUAL)


ten_megabytes: Final[Model] = FunctionModel(_huge, model_name="ten-megabytes")


async def _no_json(_: list[ModelMessage], info: AgentInfo) -> ModelResponse:
    return ModelResponse(parts=[ToolCallPart(info.output_tools[0].name, "{headline: oh no")])


not_json: Final[Model] = FunctionModel(_no_json, model_name="not-json")


async def _prose(_: list[ModelMessage], __: AgentInfo) -> ModelResponse:
    return ModelResponse(parts=[TextPart("The cluster is fine, go back to sleep.")])


prose: Final[Model] = FunctionModel(_prose, model_name="prose")
"""Answers in words where a form was asked for."""


async def _not_worth_it(_: list[ModelMessage], info: AgentInfo) -> ModelResponse:
    return ModelResponse(parts=[ToolCallPart(info.output_tools[0].name, {"deeper": False})])


uninterested: Final[Model] = FunctionModel(_not_worth_it, model_name="uninterested")
"""A dispatcher for whom no event is worth a deeper look."""

random_form: Final[Model] = TestModel()
"""Fills the form with whatever fits, after it has called every tool."""
