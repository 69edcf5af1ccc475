"""Settings of the agents process, read once by its `main.py`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from copilot_eventlog.settings import EventLogSettings
from copilot_service import ServiceSettings
from copilot_workflows.agents.settings import ModelSettings
from copilot_workflows.knowledge.settings import KnowledgeSettings
from copilot_workflows.settings import TemporalSettings


class AgentsSettings(
    ServiceSettings, EventLogSettings, TemporalSettings, ModelSettings, KnowledgeSettings
):
    """What `copilot run agents` needs to know."""

    assess_every_s: Annotated[int, Field(ge=60)] = Field(
        300, description="seconds between two looks at the clusters that are not happy"
    )
    sync_knowledge_every_s: Annotated[int, Field(ge=60)] = Field(
        86_400, description="seconds between two comparisons of the knowledge base with its pages"
    )
    agents_at_once: Annotated[int, Field(ge=1, le=1000)] = Field(
        20, description="activities that one process works on at the same time"
    )
