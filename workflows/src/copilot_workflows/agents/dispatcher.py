"""The dispatcher: a cheap model says whether a stronger one should look, and where.

Its answer chooses among what is offered and writes nothing: names of runbooks and of signals that
are not on offer are left aside, so no word of it reaches the researcher.
"""

from __future__ import annotations

from typing import Final

from pydantic_ai import Agent, ToolOutput
from pydantic_ai.capabilities import ResolveModelId
from pydantic_ai.settings import ModelSettings

from copilot_core.words.book import unit_of
from copilot_workflows.agents.durable import durable
from copilot_workflows.agents.models import DISPATCHER, resolve
from copilot_workflows.agents.prompts import prompt
from copilot_workflows.agents.requests import ComposeRequest, Dispatch
from copilot_workflows.agents.tools import Deps

PROMPT: Final = prompt("dispatcher")
MAX_PAGES: Final = 2
MAX_SIGNALS: Final = 4

# Built with the module, because the worker registers the activities of the agents that a workflow
# class names. It asks nobody anything until it runs.
dispatcher: Final = Agent(
    DISPATCHER,
    name="dispatcher",
    deps_type=Deps,
    output_type=ToolOutput(Dispatch, name="dispatch"),
    instructions=PROMPT.text,
    model_settings=ModelSettings(max_tokens=600),
    retries=1,
    capabilities=[ResolveModelId(resolve), durable()],
)


def advice(dispatch: Dispatch, request: ComposeRequest) -> str:
    """What of the dispatcher's answer the researcher is told: names of ours, in words of ours."""
    offered = dict(request.pages)
    pages = [page for page in dispatch.pages if page in offered][:MAX_PAGES]
    signals = [s for s in dispatch.signals if unit_of(s) is not None and ":" not in s]
    lines = [f"Runbook worth reading: {page} ({offered[page]})." for page in pages]
    lines += [f"Course worth looking at: {signal}." for signal in signals[:MAX_SIGNALS]]
    return "\n".join(lines)
