"""The researcher: a strong model words the explanation, in sentences with claims."""

from __future__ import annotations

from typing import Final

from pydantic_ai import Agent, ToolOutput
from pydantic_ai.capabilities import ResolveModelId
from pydantic_ai.settings import ModelSettings

from copilot_workflows.agents.durable import durable
from copilot_workflows.agents.models import RESEARCHER, resolve
from copilot_workflows.agents.prices import MAX_OUTPUT_TOKENS
from copilot_workflows.agents.prompts import prompt
from copilot_workflows.agents.requests import Answer
from copilot_workflows.agents.tools import TOOLS, Deps

PROMPT: Final = prompt("researcher")

# Built with the module for the reason that stands beside the dispatcher.
researcher: Final = Agent(
    RESEARCHER,
    name="researcher",
    deps_type=Deps,
    output_type=ToolOutput(Answer, name="explanation"),
    instructions=PROMPT.text,
    model_settings=ModelSettings(max_tokens=MAX_OUTPUT_TOKENS),
    retries=1,
    toolsets=[TOOLS],
    capabilities=[ResolveModelId(resolve), durable()],
)
